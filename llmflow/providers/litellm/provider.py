"""litellm: vendors with an API other than OpenAI's two, such as Anthropic, Bedrock, Vertex AI.

It is an extra, imported at the first call, which takes 3 s and 150 MB. llmflow only uses its translation of requests
and answers. Its retries, its prices, and its own choice of keys, APIs and settings files are all turned off.
"""

import asyncio
import importlib
import json
import os
import re
from collections.abc import Mapping
from importlib.util import find_spec
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, cast

from pydantic import ValidationError

from llmflow.errors import ConfigInvalid, ProviderError
from llmflow.providers.connections import trusted
from llmflow.providers.dialects.exceptions import body_of, classify_wrapped, named
from llmflow.providers.dialects.failures import judge, lost, unmade
from llmflow.providers.dialects.usage.failed import with_bill
from llmflow.providers.keys import with_key
from llmflow.providers.litellm.masks import unmasked
from llmflow.providers.litellm.session import open_session
from llmflow.providers.openai.body import Json
from llmflow.providers.openai.chat import ChatAnswer, chat_body, chat_schema
from llmflow.providers.openai.chat_dialects import dialect_of_litellm
from llmflow.providers.openai.endpoint import CONNECT_TIMEOUT, decode, misread
from llmflow.providers.proxies import proxy_for
from llmflow.types.base import changed
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink, ProviderSettings
from llmflow.types.refs import ModelRef

if TYPE_CHECKING:
    from aiohttp import ClientSession

_ENVIRONMENT = MappingProxyType(
    {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it waits for a price map from the network
        "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",  # else the first call waits for a list of headers
        "LITELLM_MODE": "PRODUCTION",  # else it loads the working directory's `.env`
    }
)
_SIGNED = ("bedrock/", "sagemaker/", "sagemaker_chat/", "vertex_ai/", "vertex_ai_beta/")
"""Vendors that authenticate the machine or its role instead of a key."""
_BY_HANDLER = ("anthropic/", "bedrock/", "gemini/", "vertex_ai/", "vertex_ai_beta/")
"""Vendors that litellm asks through its own HTTP client; all others, through OpenAI's."""
_BILLING = ("openrouter/", "perplexity/", "xai/")
"""Vendors that send a bill, which litellm passes on. Of any other, the cost may be litellm's own estimate."""

_INVENTED = re.compile(r"(chatcmpl-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An id that litellm makes for a vendor whose own it does not pass on. No vendor finds an answer by it."""


class _LitellmResponse(Protocol):
    def model_dump(self) -> Mapping[str, object]: ...


class _Clients(Protocol):
    def flush_cache(self) -> None: ...


class _Litellm(Protocol):
    """The used part of litellm, which is not installed for type checking."""

    suppress_debug_info: bool
    in_memory_llm_clients_cache: _Clients

    async def acompletion(self, **request: object) -> _LitellmResponse: ...
    async def close_litellm_async_clients(self) -> None: ...


class LitellmProvider:
    """Asks a vendor through litellm, which chooses it by the part of the model's id before the slash."""

    def __init__(self, settings: ProviderSettings) -> None:
        """Take the settings of models.yaml.

        Raises:
            ConfigInvalid: litellm is not installed, or the environment has a proxy that it cannot use.
        """
        if find_spec("litellm") is None:
            raise ConfigInvalid(
                f"provider {settings.name!r} has `api: litellm`, which is an extra: pip install 'llmflow[litellm]'"
            )
        if proxy_for(settings.base_url or "https://vendor").socks:
            raise ConfigInvalid(
                f"provider {settings.name!r} has `api: litellm`, which only uses HTTP proxies, and the environment has"
                " a SOCKS proxy: set HTTPS_PROXY to an HTTP proxy, or use another `api`"
            )
        self._name = settings.name
        self._settings = settings
        self._litellm: _Litellm | None = None
        self._session: ClientSession | None = None
        self._client: object = None

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """See `Provider.complete`."""
        model = str(ModelRef(self._name, request.model))
        schema = chat_schema(request)
        body = chat_body(request, model, schema, dialect_of_litellm(request.model))
        end = monotonic() + request.timeout

        async def ask(key: str | None) -> ChatAnswer:
            return await self._ask({**body, **self._terms(request, key)}, model, end - monotonic())

        answer = await with_key(self._settings, ask)
        if complaint := answer.complaint():
            raise self._billed(judge(complaint, model, self._settings.secrets), dict(answer))
        response = answer.response(request, schema, self._settings.base_url, None, ModelRef.parse(model).vendor)
        invented = _INVENTED.fullmatch(response.response_id or "")
        bill = response.reported_usd if request.model.startswith(_BILLING) else None
        return changed(response, reported_usd=bill, response_id=None if invented else response.response_id)

    async def close(self) -> None:
        """See `Provider.close`. litellm shares connections in the process: other providers then open new ones."""
        if self._litellm is not None:
            await self._litellm.close_litellm_async_clients()
            self._litellm.in_memory_llm_clients_cache.flush_cache()  # it holds the closed ones
        if self._session is not None:
            await self._session.close()
            self._session = self._client = None

    async def _opened(self, model: str) -> _Litellm:
        """Load litellm, and open our session, once.

        Raises:
            ProviderUnavailable: one of them fails.
        """
        try:
            self._litellm = self._litellm or await asyncio.to_thread(_load)
            if self._session is None:
                tls = await asyncio.to_thread(trusted, self._settings.ca_file)
                self._session = self._session or open_session(tls)
        except Exception as error:  # of certificates, of imports: what cannot be made is this provider's fault
            raise unmade(model, named(error), self._settings.secrets) from error
        return self._litellm

    def _connections(self, model: str) -> Json:
        """Return our session, in the form in which the way to the vendor takes it."""
        assert self._session is not None
        if not model.startswith(_BY_HANDLER):
            return {"shared_session": self._session}
        self._client = self._client or _handler(self._session)
        return {"client": self._client}

    def _billed(self, error: ProviderError, body: object) -> ProviderError:
        """Return an error with the usage and the bill of what the vendor sent; see `with_bill`."""
        asked = ModelRef.parse(error.detail.model or "").model
        return with_bill(error, body, model=asked, base_url=self._settings.base_url)

    def _terms(self, request: ModelRequest, key: str | None) -> Json:
        """Return the fields that llmflow sets; `extra` cannot change them."""
        import httpx  # not at the top: it takes 7 MB, only for workers with litellm

        return {
            # Never `None` for vendors with keys: litellm would send any key that it finds in the environment.
            "api_key": key or (None if request.model.startswith(_SIGNED) else "none"),
            "api_base": self._settings.base_url,
            "base_url": None,
            "extra_headers": {**self._settings.headers} or None,
            # Later than our own timeout, which covers the whole answer and makes the error.
            "timeout": httpx.Timeout(request.timeout + 1, connect=CONNECT_TIMEOUT),
            "num_retries": 0,
            "max_retries": 0,
            "stream": False,  # it treats a broken stream as complete and invents the finish reason
            "stream_options": None,
            "_skip_mcp_handler": True,  # with tools it would import a package that it does not require
            "_skip_responses_api_bridge": True,  # for OpenAI's newest models `api: responses` is better
        }

    async def _ask(self, call: Json, model: str, timeout: float) -> ChatAnswer:
        litellm = await self._opened(model)
        failure: ProviderError
        data = b""
        try:
            async with asyncio.timeout(timeout):
                answer = await litellm.acompletion(**call, **self._connections(str(call["model"])))
            data = json.dumps(unmasked(answer.model_dump())).encode()
            return decode(ChatAnswer, data)
        except TimeoutError:
            failure = lost(model, f"no whole answer within {timeout:.3g} s")
        except ValidationError as error:
            failure = misread(error, data, model, "the answer is not what litellm promises", self._settings.secrets)
            failure = self._billed(failure, data)
        except Exception as error:  # litellm raises many classes of its own, and has bugs
            failure = self._billed(classify_wrapped(error, model, self._settings.secrets), body_of(error))
        raise failure  # outside of `except`, because litellm's exception holds the key


def _handler(session: "ClientSession") -> object:
    module = importlib.import_module("litellm.llms.custom_httpx.http_handler")
    return cast(object, module.AsyncHTTPHandler(shared_session=session))


def _load() -> _Litellm:
    os.environ.update(_ENVIRONMENT)
    litellm = cast(_Litellm, importlib.import_module("litellm"))
    litellm.suppress_debug_info = True  # else it prints
    return litellm
