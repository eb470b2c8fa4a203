"""The protocol of a provider (a vendor, gateway or model server); shipped providers implement it too."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from llmflow.types.models import ModelRequest, ModelResponse

__all__ = ["DeltaSink", "NoDeltas", "Provider", "ProviderFactory", "ProviderSettings"]


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """An entry under `providers:` of models.yaml, with the key in place of its environment variable."""

    name: str
    """The provider's name: the part before the colon of `provider:model`."""
    base_url: str | None = None
    """Base URL of the API; `None` if models.yaml has none."""
    key: str | None = field(default=None, repr=False)
    """The API key; `None` if models.yaml names no variable for one."""


class DeltaSink(Protocol):
    """Receives an answer piece by piece while the model writes it. llmflow implements it; a provider calls it.

    Its methods return at once and never raise. Another kind of piece will get its own method.
    """

    def text(self, piece: str) -> None:
        """Take the next piece of the answer's text; of a typed answer, a piece of its JSON."""
        ...


class NoDeltas:
    """A sink that drops all pieces, for callers that read only the whole answer."""

    def text(self, piece: str) -> None:
        """See `DeltaSink.text`."""


@runtime_checkable
class Provider(Protocol):
    """One provider of models.yaml. Wrappers around calls (circuit breaker, limits) implement the protocol too.

    A call that is submitted now and collected later, such as a vendor's batch, will be a second protocol that a
    provider may also implement: `submit` takes the same request and returns a ticket, which history records;
    `collect` takes the ticket, on any worker, and returns the same response.
    """

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """Ask the model once, without retries or fallbacks. Cancelling the task closes the connection.

        Args:
            request: The call. `request.timeout` limits the time for the whole answer, in seconds.
            sink: Receives the pieces of a streamed answer. A provider that does not stream ignores it; the response
                always holds the whole answer.

        Raises:
            ProviderError: the vendor refused or failed. Its class says by `retryable` and `fallback` what may help.
        """
        ...

    async def close(self) -> None:
        """Close the connections. The provider cannot be used afterwards."""
        ...


ProviderFactory = Callable[[ProviderSettings], Provider]
"""Makes a provider when a worker starts, without I/O: usually the provider's class."""
