"""Circuit breaker: after repeated failures of a model, its calls go to the next candidate at once for a while."""

import logging
from collections.abc import Callable
from time import monotonic

from circuitbreaker import CircuitBreaker  # pyright: ignore[reportMissingTypeStubs]  it has none, and reads well

from llmflow.errors import CircuitOpen, ErrorDetail, ProviderError, ProviderUnavailable
from llmflow.providers.jitter import lengthened
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink, Provider
from llmflow.types.refs import ModelRef
from llmflow.types.texts import one_line

_log = logging.getLogger("llmflow.breaker")

FAILURES = 5
"""Failures in a row that open a model's circuit. A call has four attempts, so no call opens it alone."""
PAUSE = 30.0
"""Seconds for which the circuit stays open. Then one call probes the model, while the others wait as long again."""
PATIENCE = 60.0
"""Seconds. The timeout of a call with less time does not count as a failure of the model."""


class Breaker:
    """A provider with a circuit breaker for each of its models, in the memory of this worker."""

    def __init__(
        self,
        provider: Provider,
        name: str,
        *,
        failures: int = FAILURES,
        pause: float = PAUSE,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._provider = provider
        self._name = name
        self._failures = failures
        self._pause = pause
        self._clock = clock
        self._circuits: dict[str, CircuitBreaker] = {}
        self._tried: dict[str, float] = {}
        """Models with an in-flight probe, with its start."""

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """See `Provider.complete`.

        Raises:
            CircuitOpen: the model's circuit is open; it was not asked.
        """
        model = request.model
        circuit = self._circuits.get(model) or self._circuits.setdefault(model, self._new())
        if circuit.closed:
            return await self._ask(circuit, request, sink)
        if left := self._left(circuit, model):
            raise self._open(circuit, model, left)
        began = self._tried[model] = self._clock()
        try:
            return await self._ask(circuit, request, sink, tries=True)
        finally:
            if self._tried.get(model) == began:  # otherwise a later probe is in flight
                del self._tried[model]

    async def close(self) -> None:
        """See `Provider.close`."""
        await self._provider.close()

    def _new(self) -> CircuitBreaker:
        return CircuitBreaker(self._failures, self._pause, ProviderUnavailable)

    def _left(self, circuit: CircuitBreaker, model: str) -> float:
        """Return the seconds until a call may probe the model."""
        tried = self._tried.get(model)
        return max(circuit.open_remaining, 0.0 if tried is None else tried + self._pause - self._clock(), 0.0)

    async def _ask(
        self, circuit: CircuitBreaker, request: ModelRequest, sink: DeltaSink, *, tries: bool = False
    ) -> ModelResponse:
        """Ask the model. Record the outcome, except of calls that were cancelled, held back, or had little time."""
        began = self._clock()
        try:
            response = await self._provider.complete(request, sink)
        except ProviderError as error:
            hurried = request.timeout < PATIENCE and self._clock() - began >= request.timeout
            if not error.refusal and not (hurried and isinstance(error, ProviderUnavailable)):
                self._judge(circuit, request.model, error, tries=tries)
            raise
        circuit.reset()
        return response

    def _judge(self, circuit: CircuitBreaker, model: str, error: ProviderError, *, tries: bool) -> None:
        """Record a failure; an error that the vendor answered resets the circuit."""
        if not isinstance(error, ProviderUnavailable):
            circuit.reset()
        elif circuit.closed or tries:  # a call from before the pause adds nothing new
            self._count(circuit, model, error)

    def _count(self, circuit: CircuitBreaker, model: str, error: ProviderUnavailable) -> None:
        was_open = circuit.opened
        # Not the error itself: the breaker would keep its traceback, which holds the request.
        circuit.__exit__(ProviderUnavailable, ProviderUnavailable(error.message), None)
        if circuit.opened and not was_open:
            ref = ModelRef(self._name, model)
            _log.warning("%s: circuit open for %g s: %s", ref, self._pause, one_line(error.message))

    def _open(self, circuit: CircuitBreaker, model: str, left: float) -> CircuitOpen:
        wait, ref = lengthened(left), ModelRef(self._name, model)
        return CircuitOpen(
            f"{ref} was not asked: it failed {circuit.failure_count} times in a row, its circuit is open"
            f" for {wait:g} s. Its last failure: {circuit.last_failure}",
            ErrorDetail(model=str(ref), retry_after=wait),
        )
