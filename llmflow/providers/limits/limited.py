"""Enforces the limits of models.yaml: a call without room is refused before the model is asked.

The error says when there will be room. Temporal does the waiting, so a refused call holds no worker slot.
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
from llmflow.types.refs import ModelRef
from llmflow.types.sizes import estimated_input

DEFAULT_OUTPUT = 1000
"""Estimated tokens of an answer, for calls without `max_output_tokens`."""
LONGEST_WAIT = 60.0
"""Longest retry delay of an activity, in seconds. If room takes longer, the next candidate is asked."""

Kind = Literal["requests", "tokens"]


@dataclass(frozen=True, kw_only=True)
class _Rule:
    kind: Kind
    counter: Counter
    place: str
    """Path of the limit in models.yaml."""


class Limited:
    """A provider that asks only while its own limits, the model's and the tenant's have room."""

    def __init__(self, provider: Provider, name: str, models: ModelCatalogue, counters: Counters) -> None:
        self._provider = provider
        self._name = name
        self._models = models
        self._counters = counters

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """See `Provider.complete`.

        Before the call, it takes the tokens of the request and of the longest answer; afterwards it corrects them to
        the actual usage.

        Raises:
            LimitReached: a limit has no room; the model was not asked.
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
        """Take from every limit or from none; return each amount with its time.

        The time is read afterwards, because the first call of an interval starts it.
        """
        tokens = estimated_input(request) + (request.options.max_output_tokens or DEFAULT_OUTPUT)
        taken: list[tuple[_Rule, int, float]] = []
        for rule in self._rules(request):
            # A call larger than a whole limit waits for all of it instead of for ever.
            cost = min(tokens if rule.kind == "tokens" else 1, rule.counter.limit.amount)
            if wait := await self._counters.take(rule.counter, cost):
                for earlier, given, at in taken:
                    await self._counters.add(earlier.counter, -given, at)
                raise self._reached(request, rule, wait)
            taken.append((rule, cost, time.time()))
        return taken

    def _rules(self, request: ModelRequest) -> Iterator[_Rule]:
        model, tenant = str(ModelRef(self._name, request.model)), request.tenant
        yield from _rules(f"model/{model}", f"limits.{model}", self._models.limits.get(model, NO_LIMITS))
        if tenant is not None:
            named = tenant if tenant in self._models.tenants else "*"
            limits = self._models.tenants.get(named, NO_LIMITS)
            yield from _rules(f"tenant/{tenant}", f"tenants.{named}", limits)
        entry = self._models.providers[self._name]
        yield from _rules(f"provider/{self._name}", f"providers.{self._name}.limits", entry.limits)

    def _reached(self, request: ModelRequest, rule: _Rule, wait: float) -> LimitReached:
        limit, model = rule.counter.limit, str(ModelRef(self._name, request.model))
        retry = None if wait <= LONGEST_WAIT else False
        wait = lengthened(wait)
        tenants = rule.place.startswith("tenants.")  # for all models, so another candidate does not help
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
