"""Calls stay inside the limits of models.yaml: one that has no room is refused before anything is asked.

The refusal says when there is room. Waiting for it is Temporal's: a refused call holds no slot of a worker.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from llmflow.errors import ErrorDetail, LimitReached
from llmflow.providers.jitter import lengthened
from llmflow.providers.limits.counters import Counter, Counters
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.limits import NO_LIMITS, Limits
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink, Provider
from llmflow.types.sizes import estimated_input

DEFAULT_OUTPUT = 1000
"""Tokens that an answer is taken to have before it is there, where no `max_output_tokens` says it."""
LONGEST_WAIT = 60.0
"""Seconds that an activity waits for room. Where it takes longer, the next candidate is asked at once."""

Kind = Literal["requests", "tokens"]


@dataclass(frozen=True, kw_only=True)
class _Rule:
    kind: Kind
    counter: Counter
    place: str
    """Where models.yaml says it."""


class Limited:
    """A provider that is asked only where its limits, the model's and the tenant's have room."""

    def __init__(self, provider: Provider, name: str, models: ModelCatalogue, counters: Counters) -> None:
        self._provider = provider
        self._name = name
        self._models = models
        self._counters = counters

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """See `Provider.complete`.

        The tokens of the request and of the longest answer are taken before the call; afterwards what was really used
        is counted.

        Raises:
            LimitReached: a limit has no room for it; nothing was asked.
        """
        taken = await self._take(request)
        response = await self._provider.complete(request, sink)
        used = response.usage.input_tokens + response.usage.output_tokens
        for rule, cost, at in taken if used else ():
            if rule.kind == "tokens":
                await self._counters.add(rule.counter, used - cost, at)
        return response

    async def close(self) -> None:
        """See `Provider.close`."""
        await self._provider.close()
        await self._counters.close()

    async def _take(self, request: ModelRequest) -> list[tuple[_Rule, int, float]]:
        """Take from every limit, or from none: how much, and when it was taken.

        The time is read afterwards: the first call of a stretch of time begins it.
        """
        tokens = estimated_input(request) + (request.options.max_output_tokens or DEFAULT_OUTPUT)
        taken: list[tuple[_Rule, int, float]] = []
        for rule in self._rules(request):
            # A call that is larger than a whole limit must wait for all of it, and not for ever.
            cost = min(tokens if rule.kind == "tokens" else 1, rule.counter.limit.amount)
            if wait := await self._counters.take(rule.counter, cost):
                for earlier, given, at in taken:
                    await self._counters.add(earlier.counter, -given, at)
                raise self._reached(request, rule, wait)
            taken.append((rule, cost, time.time()))
        return taken

    def _rules(self, request: ModelRequest) -> Iterator[_Rule]:
        model, tenant = f"{self._name}:{request.model}", request.tenant
        yield from _rules(f"model/{model}", f"limits.{model}", self._models.limits.get(model, NO_LIMITS))
        if tenant is not None:
            named = tenant if tenant in self._models.tenants else "*"
            limits = self._models.tenants.get(named, NO_LIMITS)
            yield from _rules(f"tenant/{tenant}", f"tenants.{named}", limits)
        entry = self._models.providers[self._name]
        yield from _rules(f"provider/{self._name}", f"providers.{self._name}.limits", entry.limits)

    def _reached(self, request: ModelRequest, rule: _Rule, wait: float) -> LimitReached:
        limit, model = rule.counter.limit, f"{self._name}:{request.model}"
        retry = None if wait <= LONGEST_WAIT else False
        wait = lengthened(wait)
        tenants = rule.place.startswith("tenants.")  # which holds for every model, so that no candidate helps
        who, more = (f" for tenant {request.tenant!r}", "") if tenants else ("", ", or add another candidate")
        return LimitReached(
            f"{model} was not asked{who}: {limit.amount} {rule.kind} in {limit.seconds} s are used up; there is room "
            f"in {wait:g} s. Raise `{rule.place}.{rule.kind}` in models.yaml{more}",
            ErrorDetail(model=model, retry_after=wait, retry=retry),
        )


def _rules(key: str, place: str, limits: Limits) -> Iterator[_Rule]:
    kinds: tuple[Kind, ...] = ("requests", "tokens")
    for kind in kinds:
        for limit in limits.requests if kind == "requests" else limits.tokens:
            yield _Rule(kind=kind, counter=Counter(key=f"{key}/{kind}", limit=limit), place=place)
