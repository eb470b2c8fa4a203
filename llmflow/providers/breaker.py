"""A model that fails again and again is left alone for a while, so that its calls go to the next candidate at once."""

import logging
from time import monotonic

from circuitbreaker import CircuitBreaker  # pyright: ignore[reportMissingTypeStubs]  it has none, and reads well

from llmflow.errors import CircuitOpen, ErrorDetail, ProviderError, ProviderUnavailable
from llmflow.providers.jitter import lengthened
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink, Provider

_log = logging.getLogger("llmflow.breaker")

FAILURES = 5
"""In a row, after which a model is left alone. One call has four attempts, so no call does it by itself."""
PAUSE = 30.0
"""Seconds for which it is left alone. Then one call tries, and the others wait as long again for what becomes of it."""
PATIENCE = 60.0
"""Seconds. A call that gives a model less time, and runs out of it, says more about itself than about the model."""


class Breaker:
    """A provider with a circuit breaker for each of its models, in the memory of this worker."""

    def __init__(self, provider: Provider, name: str, *, failures: int = FAILURES, pause: float = PAUSE) -> None:
        self._provider = provider
        self._name = name
        self._failures = failures
        self._pause = pause
        self._circuits: dict[str, CircuitBreaker] = {}
        self._tried: dict[str, float] = {}
        """Models that one call tries just now, after their pause, and since when."""

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """See `Provider.complete`.

        Raises:
            CircuitOpen: the model has failed too often; nothing was asked.
        """
        model = request.model
        circuit = self._circuits.get(model) or self._circuits.setdefault(model, self._new())
        if circuit.closed:
            return await self._ask(circuit, request, sink)
        if left := self._left(circuit, model):
            raise self._open(circuit, model, left)
        began = self._tried[model] = monotonic()
        try:
            return await self._ask(circuit, request, sink, tries=True)
        finally:
            if self._tried.get(model) == began:  # else another tries by now
                del self._tried[model]

    async def close(self) -> None:
        """See `Provider.close`."""
        await self._provider.close()

    def _new(self) -> CircuitBreaker:
        return CircuitBreaker(self._failures, self._pause, ProviderUnavailable)

    def _left(self, circuit: CircuitBreaker, model: str) -> float:
        """Seconds until a call may try."""
        tried = self._tried.get(model)
        return max(circuit.open_remaining, 0.0 if tried is None else tried + self._pause - monotonic(), 0.0)

    async def _ask(
        self, circuit: CircuitBreaker, request: ModelRequest, sink: DeltaSink, *, tries: bool = False
    ) -> ModelResponse:
        """A call that was cancelled, or refused by us, or had little time, says nothing about the vendor."""
        began = monotonic()
        try:
            response = await self._provider.complete(request, sink)
        except ProviderError as error:
            hurried = request.timeout < PATIENCE and monotonic() - began >= request.timeout
            if not error.refusal and not (hurried and isinstance(error, ProviderUnavailable)):
                self._judge(circuit, request.model, error, tries=tries)
            raise
        circuit.reset()
        return response

    def _judge(self, circuit: CircuitBreaker, model: str, error: ProviderError, *, tries: bool) -> None:
        """Whatever the vendor answers is a sign of life."""
        if not isinstance(error, ProviderUnavailable):
            circuit.reset()
        elif circuit.closed or tries:  # one that began before the pause only says once more what the pause is for
            self._count(circuit, model, error)

    def _count(self, circuit: CircuitBreaker, model: str, error: ProviderUnavailable) -> None:
        was_open = circuit.opened
        # Never the error itself, which is kept: its traceback holds the request.
        circuit.__exit__(ProviderUnavailable, ProviderUnavailable(error.message), None)
        if circuit.opened and not was_open:
            _log.warning("%s:%s is left alone for %g s: %s", self._name, model, self._pause, error.message)

    def _open(self, circuit: CircuitBreaker, model: str, left: float) -> CircuitOpen:
        wait = lengthened(left)
        return CircuitOpen(
            f"{self._name}:{model} was not asked: it failed {circuit.failure_count} times in a row, and is left alone "
            f"for {wait:g} s. Its last failure: {circuit.last_failure}",
            ErrorDetail(model=f"{self._name}:{model}", retry_after=wait),
        )
