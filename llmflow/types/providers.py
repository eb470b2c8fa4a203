"""The protocol of a provider (a vendor, gateway or model server); shipped providers implement it too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from llmflow.types.models import ModelRequest, ModelResponse

__all__ = ["DeltaSink", "KeySource", "NoDeltas", "Provider", "ProviderFactory", "ProviderSettings"]


class KeySource(Protocol):
    """Gives a key that expires, from `key_file` or `key_command` of models.yaml."""

    @property
    def latest(self) -> str | None:
        """The key that it gave last; `None` before the first."""
        ...

    async def get(self) -> str:
        """Return the key that is valid now.

        Raises:
            AuthenticationFailed: there is none. The same call may succeed later.
        """
        ...

    async def renew(self, refused: str) -> str | None:
        """Return another key than the one that the vendor has refused; `None` if there is no other.

        Raises:
            AuthenticationFailed: see `get`.
        """
        ...


def _none() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """An entry under `providers:` of models.yaml, with values in place of its environment variables."""

    name: str
    """The provider's name: the part before the colon of `provider:model`."""
    base_url: str | None = None
    """Base URL of the API; `None` if models.yaml has none."""
    key: str | None = field(default=None, repr=False)
    """The API key; `None` if models.yaml names no variable for one."""
    key_source: KeySource | None = field(default=None, repr=False)
    """Gives the API key, if it expires; `key` is `None` then."""
    headers: Mapping[str, str] = field(default_factory=_none, repr=False)
    """Further headers of each request."""
    query: Mapping[str, str] = field(default_factory=_none, repr=False)
    """Parameters of the URL of each request."""
    ca_file: str | None = None
    """Path of a file with certificates, in PEM, that are trusted beside those of the machine."""
    limit_field: str | None = None
    """The server's name of the limit of output tokens; `None` if models.yaml has none."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """All values that no error may quote."""
        key = self.key_source.latest if self.key_source else self.key
        return (*((key,) if key else ()), *self.headers.values(), *self.query.values())


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
