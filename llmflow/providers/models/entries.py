"""`providers:` of models.yaml: the vendors that there are, and the API that each of them speaks."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from llmflow.errors import unknown
from llmflow.providers.models.aliases import check_name
from llmflow.providers.models.limits import NO_LIMITS, Limits, read_limits
from llmflow.types.providers import ProviderFactory
from llmflow.yaml import Node

OFFLINE = "offline"

_URL = re.compile(r"https?://[^/?#@\s]+(/[^?#\s]*)?")


@dataclass(frozen=True, kw_only=True)
class ProviderEntry:
    """One vendor of models.yaml."""

    api: str
    """A name in `ModelCatalogue.apis`."""
    base_url: str | None = None
    """Where the API begins; `None` where the API has an address of its own."""
    key: str | None = None
    """The environment variable that holds the key; `None` for servers that ask for none."""
    limits: Limits = NO_LIMITS
    """Of its key: all its models together."""


def _nowhere(environ: Mapping[str, str]) -> None:
    """The API is at no address that is known before a call."""


def _nothing(entry: ProviderEntry) -> None:
    """The API needs no more than its name."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """What `api:` can say."""

    connect: ProviderFactory
    address: Callable[[Mapping[str, str]], str | None] = _nowhere
    """Where it is without a `base_url`, by the environment."""
    lacks: Callable[[ProviderEntry], str | None] = _nothing
    """What an entry has to say besides, as the end of a sentence; `None` if it says enough."""


def read_provider(name: str, node: Node, apis: Mapping[str, Api]) -> ProviderEntry:
    """`{api: chat, base_url: "http://localhost/v1"}`; the `api` of a provider that is named after one may be left out.

    Raises:
        ConfigInvalid: says `file:line:column`, and what may stand there.
    """
    check_name("provider", name, node)
    fields = node.mapping(f"provider {name!r}", {"api", "base_url", "key", "limits"})
    limits = read_limits(fields.pop("limits")) if "limits" in fields else NO_LIMITS
    text = {field: value.text(f"`{field}`") for field, value in fields.items()}
    api = text.setdefault("api", name)
    if api not in apis:
        if "api" in fields:
            raise fields["api"].error(f"there is no api {unknown(api, apis)}")
        raise node.error(f"provider {name!r} has no `api`: give one of {', '.join(apis)}")
    if (api == OFFLINE) != (name == OFFLINE):
        raise node.error("`api: offline` and the name `offline` go together: every record must say that no model spoke")
    if "base_url" in text and not _URL.fullmatch(text["base_url"]):
        raise fields["base_url"].error("`base_url` must be http:// or https:// with a host, and no password in it")
    entry = ProviderEntry(**text, limits=limits)
    if lacking := apis[api].lacks(entry):
        raise node.error(f"provider {name!r} has no {lacking}")
    return entry
