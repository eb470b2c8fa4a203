"""The one seam between activities and the vendors of models: a request in, a response out."""

from typing import Protocol

from llmflow.types.models import ModelRequest, ModelResponse


class Provider(Protocol):
    """One vendor, as models.yaml names it. Everything that wraps a call (budget, cache, limits) has this shape too."""

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Ask the model once: no retries, no other model. Cancelling the task closes the connection.

        Raises:
            ProviderError: the vendor refused or failed. `retryable` and `fallback` of its class say what may help.
        """
        ...

    async def close(self) -> None:
        """Close the connections. The provider cannot be used after it."""
        ...
