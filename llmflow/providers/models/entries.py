"""`providers:` of models.yaml: providers and their APIs."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from llmflow.errors import unknown
from llmflow.providers.models.access import DIRECT, FIELDS, Access, read_access
from llmflow.providers.models.aliases import check_name
from llmflow.providers.models.limits import NO_LIMITS, Limits, read_limits
from llmflow.providers.patience import LONGEST_WAIT
from llmflow.types.providers import ProviderFactory
from llmflow.yaml import Node

OFFLINE = "offline"

_URL = re.compile(r"https?://[^/?#@\s]+(/[^?#\s]*)?")


@dataclass(frozen=True, kw_only=True)
class ProviderEntry:
    """One provider of models.yaml."""

    api: str
    """A name in `ModelCatalogue.apis`."""
    base_url: str | None = None
    """Base URL of the API; `None` for the API's default."""
    key: str | None = None
    """Environment variable of the key; `None` for servers without keys."""
    access: Access = DIRECT
    limits: Limits = NO_LIMITS
    """Limits of its key, for all its models together."""
    longest_wait: float = LONGEST_WAIT
    """Seconds that it may ask to wait until the next candidate is asked first."""


def _nowhere(environ: Mapping[str, str]) -> None:
    """Return no address: it is unknown before a call."""


def _nothing(entry: ProviderEntry) -> None:
    """Return no missing field."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """An API for `api:`."""

    connect: ProviderFactory
    address: Callable[[Mapping[str, str]], str | None] = _nowhere
    """Default base URL, by the environment."""
    lacks: Callable[[ProviderEntry], str | None] = _nothing
    """A required field that an entry lacks, for an error message; `None` if it is complete."""
    without: frozenset[str] = frozenset({"limit_field"})
    """Fields of an entry that it cannot use."""


def _seconds(node: Node) -> float:
    value = node.plain()
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise node.error(f"`longest_wait` must be a number of seconds, not {value!r}")
    return float(value)


def _keys(entry: ProviderEntry) -> Iterator[str]:
    """Yield the ways in which an entry gives a key."""
    access = entry.access
    keys = {"key": entry.key, "key_file": access.key_file, "key_command": access.key_command}
    yield from (f"`{name}`" for name, value in keys.items() if value)
    yield from (f"`headers` with {name}" for name in access.headers if name.lower() == "authorization")


def read_provider(name: str, node: Node, apis: Mapping[str, Api]) -> ProviderEntry:
    """Read `{api: chat, base_url: "http://localhost/v1"}`; `api` defaults to the provider's name.

    Raises:
        ConfigInvalid: the entry is invalid; the message has `file:line:column` and what is allowed.
    """
    check_name("provider", name, node)
    fields = node.mapping(f"provider {name!r}", {"api", "base_url", "key", "limits", "longest_wait", *FIELDS})
    wait = _seconds(fields.pop("longest_wait")) if "longest_wait" in fields else LONGEST_WAIT
    limits = read_limits(fields.pop("limits")) if "limits" in fields else NO_LIMITS
    reach = {field: fields.pop(field) for field in FIELDS & fields.keys()}
    text = {field: value.text(f"`{field}`") for field, value in fields.items()}
    api = text.setdefault("api", name)
    if api not in apis:
        if "api" in fields:
            raise fields["api"].error(f"there is no api {unknown(api, apis)}")
        raise node.error(f"provider {name!r} has no `api`: give one of {', '.join(apis)}")
    if (api == OFFLINE) != (name == OFFLINE):
        raise node.error(
            "`api: offline` and the name `offline` go together, so that every record shows that no model answered"
        )
    if "base_url" in text and not _URL.fullmatch(text["base_url"]):
        raise fields["base_url"].error("`base_url` must be http:// or https:// with a host and without a password")
    for field in sorted(apis[api].without & reach.keys()):
        raise reach[field].error(f"`api: {api}` cannot use `{field}`")
    entry = ProviderEntry(**text, access=read_access(reach), limits=limits, longest_wait=wait)
    if len(keys := list(_keys(entry))) > 1:
        raise node.error(f"provider {name!r} has {' and '.join(keys)}: give one of them")
    if lacking := apis[api].lacks(entry):
        raise node.error(f"provider {name!r} has no {lacking}")
    return entry
