"""The APIs for `api:` of models.yaml, each with its provider: the shipped ones, and those of an App."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from llmflow.errors import ConfigInvalid
from llmflow.providers.litellm.provider import LitellmProvider
from llmflow.providers.models.access import FIELDS
from llmflow.providers.models.entries import OFFLINE, Api, ProviderEntry
from llmflow.providers.offline.provider import Offline
from llmflow.providers.openai.chat_provider import ChatProvider
from llmflow.providers.openai.endpoint import OPENAI
from llmflow.providers.openai.responses import ResponsesProvider
from llmflow.providers.own import OwnProvider
from llmflow.types.providers import ProviderFactory, ProviderSettings


def _openai(environ: Mapping[str, str]) -> str:
    return environ.get("OPENAI_BASE_URL") or OPENAI


def _key_for_openai(entry: ProviderEntry) -> str | None:
    has_key = entry.key or entry.access.gives_keys
    return None if entry.base_url or has_key else "`key`: name the environment variable, such as OPENAI_API_KEY"


def _base_url(entry: ProviderEntry) -> str | None:
    return None if entry.base_url else "`base_url`: give the URL of its API, such as http://localhost/v1"


SHIPPED: Mapping[str, Api] = MappingProxyType(
    {
        "responses": Api(connect=ResponsesProvider, address=_openai, lacks=_key_for_openai),
        "chat": Api(connect=ChatProvider, lacks=_base_url, without=frozenset()),
        "litellm": Api(connect=LitellmProvider, without=frozenset({"query", "limit_field"})),
        OFFLINE: Api(connect=lambda _: Offline(), without=FIELDS),
    }
)


def apis_with(own: Mapping[str, ProviderFactory]) -> Mapping[str, Api]:
    """Return the shipped APIs and those of an App's own providers.

    Raises:
        ConfigInvalid: a name is invalid or taken, or its factory is not callable.
    """
    for name, factory in own.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise ConfigInvalid(f"provider {name!r}: a name has only letters, digits, `-`, `_` and `.`")
        if name in SHIPPED:
            raise ConfigInvalid(f"provider {name!r}: llmflow ships an API of this name; give yours another name")
        if not callable(factory):
            raise ConfigInvalid(
                f"provider {name!r}: give the App its class, or a function of ProviderSettings, not"
                f" {type(factory).__name__}(...) itself"
            )
    return MappingProxyType(
        {**SHIPPED, **{name: Api(connect=_own(factory), without=frozenset()) for name, factory in own.items()}}
    )


def _own(factory: ProviderFactory) -> ProviderFactory:
    def connect(settings: ProviderSettings) -> OwnProvider:
        return OwnProvider(factory, settings)

    return connect
