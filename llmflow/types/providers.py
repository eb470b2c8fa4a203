"""The protocol of a provider: a vendor, gateway or server of models. The shipped providers implement it as yours do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from llmflow.types.models import ModelRequest, ModelResponse

__all__ = ["DeltaSink", "NoDeltas", "Provider", "ProviderFactory", "ProviderSettings"]


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """An entry under `providers:` of models.yaml, with the key itself in place of its variable."""

    name: str
    """The provider's name: the part before the colon of `provider:model`."""
    base_url: str | None = None
    """Where its API begins; `None` where models.yaml does not say it."""
    key: str | None = field(default=None, repr=False)
    """The key; `None` where models.yaml names no variable for one."""


class DeltaSink(Protocol):
    """Takes an answer piece by piece, while the model writes it. llmflow implements it, a provider calls it.

    Its methods return at once and never raise. Another kind of piece will be another method.
    """

    def text(self, piece: str) -> None:
        """Take the next piece of the answer's text; of a typed answer, a piece of its JSON."""
        ...


class NoDeltas:
    """A sink that drops what it gets: the answer is only read as a whole."""

    def text(self, piece: str) -> None:
        """See `DeltaSink.text`."""


@runtime_checkable
class Provider(Protocol):
    """One vendor, as models.yaml names it. What wraps a call (circuit breaker, limits) has this shape too.

    A call that is submitted now and collected later, such as a vendor's batch, will be a second protocol that a
    provider may implement beside this one: `submit` takes the same request and returns a ticket, which is recorded;
    `collect` takes the ticket, on any worker, and returns the same response.
    """

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """Ask the model once: no retries, no other model. Cancelling the task closes the connection.

        Args:
            request: What is asked. `request.timeout` is the time for the whole answer, in seconds.
            sink: Takes the pieces of an answer that is streamed. A provider that does not stream leaves it alone; the
                response holds the whole answer in any case.

        Raises:
            ProviderError: the vendor refused or failed. `retryable` and `fallback` of its class say what may help.
        """
        ...

    async def close(self) -> None:
        """Close the connections. The provider cannot be used after it."""
        ...


ProviderFactory = Callable[[ProviderSettings], Provider]
"""Makes a provider when a worker starts: usually the provider's class. It does no I/O."""
