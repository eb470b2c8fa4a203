"""Guards an App's own provider, which may raise or return anything."""

import asyncio
from socket import gaierror
from typing import cast

from llmflow.errors import AnswerUnreadable, ConfigInvalid, ErrorDetail, LLMFlowError, ProviderError
from llmflow.providers.dialects.exceptions import below, classify_http
from llmflow.providers.dialects.failures import lost, unavailable
from llmflow.providers.dialects.secrets import scrub
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink, Provider, ProviderFactory, ProviderSettings
from llmflow.types.refs import ModelRef


class OwnProvider:
    """An App's provider, held to the protocol: calls end in time, and every failure is an llmflow error."""

    def __init__(self, factory: ProviderFactory, settings: ProviderSettings) -> None:
        """Make the provider.

        Raises:
            ConfigInvalid: the factory raises, or does not return a provider.
        """
        self._settings = settings
        try:
            made = cast(object, factory(settings))
        except LLMFlowError:
            raise
        except Exception as error:  # whatever the App's code raises
            raise ConfigInvalid(f"provider {settings.name!r} cannot be made: {self._said(error)}") from error
        if not isinstance(made, Provider):
            raise ConfigInvalid(
                f"provider {settings.name!r}: {type(made).__name__} is no Provider: give it `complete` and `close`"
            )
        self._provider = made

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """See `Provider.complete`."""
        model = str(ModelRef(self._settings.name, request.model))
        failure: ProviderError
        try:
            async with asyncio.timeout(request.timeout):
                response = cast(object, await self._provider.complete(request, sink))
        except LLMFlowError:
            raise
        except TimeoutError:
            failure = lost(model, f"no whole answer within {request.timeout:g} s")
        except OSError as error:
            kind = unavailable if isinstance(error, ConnectionRefusedError | gaierror) else lost
            failure = kind(model, self._said(error))
        except Exception as error:  # whatever the App's code raises
            failure = self._judged(error, model).with_traceback(error.__traceback__)
        else:
            if isinstance(response, ModelResponse):
                return response
            failure = self._unreadable(model, f"returned {type(response).__name__} instead of a ModelResponse")
        raise failure  # outside of `except`, because the other exception may hold the key

    async def close(self) -> None:
        """See `Provider.close`."""
        await self._provider.close()

    def _judged(self, error: Exception, model: str) -> ProviderError:
        of_http = (classify_http(cause, model, self._settings.secrets) for cause in below(error))
        return next(filter(None, of_http), None) or self._unreadable(model, f"raised {self._said(error)}")

    def _unreadable(self, model: str, what: str) -> ProviderError:
        return AnswerUnreadable(
            f"{model} failed: provider {self._settings.name!r} {what}. The call may be billed, so it is not retried:"
            " correct the provider. For failures that may be retried, raise a ProviderError like ProviderUnavailable",
            ErrorDetail(model=model),
        )

    def _said(self, error: Exception) -> str:
        return scrub(f"{type(error).__name__}: {error}".removesuffix(": "), self._settings.secrets)
