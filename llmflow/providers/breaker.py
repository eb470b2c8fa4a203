"""A model that fails again and again is left alone for a while, so that its calls go to the next candidate at once."""

import logging
import random

from circuitbreaker import CircuitBreaker  # pyright: ignore[reportMissingTypeStubs]  it has none, and reads well

from llmflow.errors import CircuitOpen, ErrorDetail, ProviderError, ProviderUnavailable
from llmflow.providers.base import Provider
from llmflow.types.models import ModelRequest, ModelResponse

_log = logging.getLogger("llmflow.breaker")

FAILURES = 5
"""In a row, after which a model is left alone. One call has four attempts, so no call does it by itself."""
PAUSE = 30.0
"""Seconds for which it is left alone. Then one call tries, and the others wait for what becomes of it."""
JITTER = 0.2
"""A wait is lengthened by up to this share, so that those who wait do not come back together."""


class Guarded:
    """A provider with a circuit breaker for each of its models, in the memory of this worker."""

    def __init__(self, provider: Provider, name: str, *, failures: int = FAILURES, pause: float = PAUSE) -> None:
        self._provider = provider
        self._name = name
        self._failures = failures
        self._pause = pause
        self._circuits: dict[str, CircuitBreaker] = {}
        self._tried: set[str] = set()
        """Models that one call tries just now, after their pause."""

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """See `Provider.complete`.

        Raises:
            CircuitOpen: the model has failed too often; nothing was asked.
        """
        model = request.model
        circuit = self._circuits.get(model) or self._circuits.setdefault(model, self._new())
        if circuit.closed:
            return await self._ask(circuit, request)
        if circuit.opened or model in self._tried:
            raise self._open(circuit, model)
        self._tried.add(model)
        try:
            return await self._ask(circuit, request)
        finally:
            self._tried.discard(model)

    async def close(self) -> None:
        """See `Provider.close`."""
        await self._provider.close()

    def _new(self) -> CircuitBreaker:
        return CircuitBreaker(self._failures, self._pause, ProviderUnavailable)

    async def _ask(self, circuit: CircuitBreaker, request: ModelRequest) -> ModelResponse:
        """Whatever the vendor answers is a sign of life. A call that was cancelled, or refused by us, says nothing."""
        try:
            response = await self._provider.complete(request)
        except ProviderError as error:
            if isinstance(error, ProviderUnavailable) and not error.refusal:
                self._count(circuit, request.model, error)
            elif not error.refusal:
                circuit.reset()
            raise
        circuit.reset()
        return response

    def _count(self, circuit: CircuitBreaker, model: str, error: ProviderUnavailable) -> None:
        was_open = circuit.opened
        circuit.__exit__(type(error), error, None)
        if circuit.opened and not was_open:
            _log.warning("%s:%s is left alone for %g s: %s", self._name, model, self._pause, error.message)

    def _open(self, circuit: CircuitBreaker, model: str) -> CircuitOpen:
        left = circuit.open_remaining if circuit.opened else self._pause
        wait = round(max(left, 0) * random.uniform(1, 1 + JITTER), 3)
        return CircuitOpen(
            f"{self._name}:{model} was not asked: it failed {circuit.failure_count} times in a row, and is left alone "
            f"for {wait:g} s. Its last failure: {circuit.last_failure}",
            ErrorDetail(model=f"{self._name}:{model}", retry_after=wait),
        )
