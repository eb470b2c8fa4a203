"""models.yaml: the vendors that there are, and which models a name may mean.

providers:
  openai: {api: responses, key: OPENAI_API_KEY}             # the environment variable that holds the key
  local: {api: chat, base_url: "http://localhost:11434/v1"}
models:
  smart:                                                    # tried in this order
    - {model: "openai:gpt-6.1-sol", reasoning_effort: medium}
    - "local:qwen3"
  fast: "openai:gpt-6-luna"
  default: smart                                            # an alias may mean another

`limits.py` has what limits may stand there, `aliases.py` what candidates and policies.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from llmflow.errors import ModelNotFound
from llmflow.providers.models.aliases import Aliases, check_model, check_name
from llmflow.providers.models.limits import NO_LIMITS, Limits, read_limits
from llmflow.providers.models.routing import PriceOf, Route
from llmflow.providers.yaml_file import Node, read_yaml, unknown
from llmflow.types.models import Candidate

Api = Literal["responses", "chat", "litellm", "offline"]
OFFLINE = "offline"
_APIS: Mapping[str, Api] = MappingProxyType({api: api for api in get_args(Api)})

_URL = re.compile(r"https?://[^/?#@\s]+(/[^?#\s]*)?")


@dataclass(frozen=True, kw_only=True)
class ProviderEntry:
    """One vendor of models.yaml."""

    api: Api
    """`responses` and `chat` are OpenAI's two APIs, `litellm` all that it knows, `offline` no vendor and no model."""
    base_url: str | None = None
    """Where the API begins; `None` for OpenAI itself, or where `OPENAI_BASE_URL` points, or where litellm knows it."""
    key: str | None = None
    """The environment variable that holds the key; `None` for servers that ask for none."""
    limits: Limits = NO_LIMITS
    """Of its key: all its models together."""


def _no_price(model: str) -> None:
    """Nobody has said what models cost."""


@dataclass(frozen=True, kw_only=True)
class ModelCatalogue:
    """The model catalogue: what one models.yaml says."""

    providers: Mapping[str, ProviderEntry]
    aliases: Mapping[str, Route | tuple[Candidate, ...]]
    """By name; a tuple is asked in its order."""
    limits: Mapping[str, Limits] = field(default_factory=dict[str, Limits])
    """By `provider:model`."""
    tenants: Mapping[str, Limits] = field(default_factory=dict[str, Limits])
    """By tenant; those of `*` hold for each that is not named."""
    price: PriceOf = _no_price
    """What `policy: cheapest` goes by."""
    sole: str | None = None
    """The provider that answers for every name, whatever it is; `None` in one that was read from a file."""

    @classmethod
    def only(cls, provider: str) -> "ModelCatalogue":
        """A model catalogue in which every name means this one provider, which its user connects: a test's, say."""
        return cls(providers={}, aliases={}, sole=provider)

    def resolve(self, name: str, unit: str = "") -> tuple[Candidate, ...]:
        """The candidates of an alias, in the order in which they are tried; or the one model `provider:model`.

        Args:
            name: of the alias, or the model.
            unit: what `policy: weighted` is sticky by, such as the id of the workflow that began the tree.

        Raises:
            ModelNotFound: models.yaml has no such alias, or no such provider.
        """
        if name in self.aliases:
            meant = self.aliases[name]
            return meant.candidates(unit, self.price) if isinstance(meant, Route) else meant
        provider, colon, model = name.partition(":")
        if self.sole:
            return (Candidate(model=f"{self.sole}:{model or name}"),)
        if not colon:
            raise ModelNotFound(f"models.yaml has no model {unknown(name, self.aliases)}. Or write `provider:model`")
        if provider not in self.providers:
            raise ModelNotFound(f"model {name!r}: models.yaml has no provider {unknown(provider, self.providers)}")
        if not model:
            raise ModelNotFound(f"model {name!r}: write `provider:model`, with the vendor's own name of the model")
        return (Candidate(model=name),)


def load_model_catalogue(path: str | Path) -> ModelCatalogue:
    """Read a models.yaml; `offline` instead of a path is the model catalogue in which no name means a model.

    Raises:
        ConfigInvalid: says `file:line:column`, what is wrong, and what may stand there.
    """
    if str(path) == OFFLINE:
        return replace(ModelCatalogue.only(OFFLINE), providers={OFFLINE: ProviderEntry(api=OFFLINE)})
    root = read_yaml(Path(path)).mapping("models.yaml", {"providers", "models", "limits", "tenants"})
    parts = {name: node.mapping(f"`{name}`") for name, node in root.items()}
    providers = {name: _provider(name, node) for name, node in parts.get("providers", {}).items()}
    models = parts.get("models", {})
    aliases = Aliases(models, providers)
    for model, node in parts.get("limits", {}).items():
        check_model(model, node, providers)
    return ModelCatalogue(
        providers=MappingProxyType(providers),
        aliases=MappingProxyType({name: aliases.route(name) for name in models}),
        limits=MappingProxyType({name: read_limits(node) for name, node in parts.get("limits", {}).items()}),
        tenants=MappingProxyType({name: read_limits(node) for name, node in parts.get("tenants", {}).items()}),
    )


def _provider(name: str, node: Node) -> ProviderEntry:
    check_name("provider", name, node)
    fields = node.mapping(f"provider {name!r}", {"api", "base_url", "key", "limits"})
    limits = read_limits(fields.pop("limits")) if "limits" in fields else NO_LIMITS
    if "api" not in fields:
        raise node.error(f"provider {name!r} has no `api`: give one of {', '.join(_APIS)}")
    text = {field: value.text(f"`{field}`") for field, value in fields.items()}
    api, base_url, key = _APIS.get(text["api"]), text.get("base_url"), text.get("key")
    if api is None:
        raise fields["api"].error(f"there is no api {unknown(text['api'], _APIS)}")
    if (api == OFFLINE) != (name == OFFLINE):
        raise node.error("`api: offline` and the name `offline` go together: every record must say that no model spoke")
    if base_url is not None and not _URL.fullmatch(base_url):
        raise fields["base_url"].error("`base_url` must be http:// or https:// with a host, and no password in it")
    if api == "chat" and base_url is None:
        raise node.error(f"provider {name!r} has no `base_url`: say where its API begins, such as http://localhost/v1")
    if api == "responses" and base_url is None and key is None:
        raise node.error(f"provider {name!r} has no `key`: name the environment variable, such as OPENAI_API_KEY")
    return ProviderEntry(api=api, base_url=base_url, key=key, limits=limits)
