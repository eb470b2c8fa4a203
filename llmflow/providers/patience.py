"""Long waits that vendors ask for: the call ends, so that the next candidate is asked before Temporal waits."""

from llmflow.errors import ProviderError
from llmflow.types.base import changed
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink, Provider

LONGEST_WAIT = 60.0
"""Seconds that a vendor may ask to wait until the next candidate is asked first."""


class Patient:
    """A provider whose calls are not retried after a wait longer than its limit."""

    def __init__(self, provider: Provider, longest_wait: float) -> None:
        self._provider = provider
        self._longest_wait = longest_wait

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """See `Provider.complete`."""
        try:
            return await self._provider.complete(request, sink)
        except ProviderError as error:
            wait = error.detail.retry_after
            if not error.may_pass or wait is None or wait <= self._longest_wait:
                raise
            failure = type(error)(error.message, changed(error.detail, retry=False)).with_traceback(error.__traceback__)
        raise failure

    async def close(self) -> None:
        """See `Provider.close`."""
        await self._provider.close()
