"""The model catalogue of a models.yaml: providers, and aliases of models.

providers:
  openai: {api: responses, key: OPENAI_API_KEY}             # the environment variable that holds the key
  local: {api: chat, base_url: "http://localhost:11434/v1"}
models:
  smart:                                                    # tried in this order
    - {model: "openai:gpt-6.1-sol", reasoning_effort: medium}
    - "local:qwen3"
  fast: "openai:gpt-6-luna"
  default: smart                                            # an alias may refer to another

`entries.py` parses providers, `limits.py` limits, `aliases.py` candidates and policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from llmflow.errors import ModelNotFound, unknown
from llmflow.providers.apis import SHIPPED, apis_with
from llmflow.providers.models.aliases import Aliases, check_model
from llmflow.providers.models.entries import OFFLINE, Api, ProviderEntry, read_provider
from llmflow.providers.models.limits import Limits, read_limits
from llmflow.providers.models.routing import PriceOf, Route
from llmflow.types.models import Candidate
from llmflow.types.providers import ProviderFactory
from llmflow.types.refs import ModelRef, is_alias
from llmflow.yaml import read_yaml

WITHOUT_A_FILE: Mapping[str, ProviderEntry] = MappingProxyType(
    {"openai": ProviderEntry(api="responses", key="OPENAI_API_KEY")}
)
"""The providers of an App without a models.yaml: its prompts name models such as `openai:gpt-6-luna`."""


def _no_price(model: str) -> None:
    """Return no price."""


@dataclass(frozen=True, kw_only=True)
class ModelCatalogue:
    """The content of a models.yaml."""

    providers: Mapping[str, ProviderEntry]
    aliases: Mapping[str, Route | tuple[Candidate, ...]]
    """Aliases by name; a tuple is tried in its order."""
    limits: Mapping[str, Limits] = field(default_factory=dict[str, Limits])
    """Limits by `provider:model`."""
    tenants: Mapping[str, Limits] = field(default_factory=dict[str, Limits])
    """Limits by tenant; those of `*` apply to each tenant that is not listed."""
    apis: Mapping[str, Api] = field(default_factory=lambda: SHIPPED)
    """APIs of providers, by name."""
    price: PriceOf = _no_price
    """Prices for `policy: cheapest`."""
    sole: str | None = None
    """Provider for all names; `None` for a catalogue read from a file."""

    @classmethod
    def only(cls, provider: str) -> "ModelCatalogue":
        """Make a model catalogue that maps every name to one provider, which the caller connects, such as a test."""
        return cls(providers={}, aliases={}, sole=provider)

    def resolve(self, name: str, unit: str = "") -> tuple[Candidate, ...]:
        """Resolve an alias to its candidates in the order in which they are tried, or `provider:model` to itself.

        Args:
            name: An alias, or `provider:model`.
            unit: Key by which `policy: weighted` is sticky, such as the root workflow's id.

        Raises:
            ModelNotFound: models.yaml has no such alias, or no such provider.
        """
        if name in self.aliases:
            meant = self.aliases[name]
            return meant.candidates(unit, self.price) if isinstance(meant, Route) else meant
        ref = ModelRef.parse(name)
        if self.sole:
            return (Candidate(model=str(ModelRef(self.sole, ref.model or name))),)
        if is_alias(name) and not self.aliases:
            raise ModelNotFound(
                f"model {name!r}: no models.yaml defines an alias: define it in the file of App(models=...) or"
                " LLMFLOW_MODELS, or write `provider:model`"
            )
        if is_alias(name):
            raise ModelNotFound(f"models.yaml has no model {unknown(name, self.aliases)}. Or write `provider:model`")
        if ref.provider not in self.providers:
            raise ModelNotFound(f"model {name!r}: models.yaml has no provider {unknown(ref.provider, self.providers)}")
        if not ref.model:
            raise ModelNotFound(f"model {name!r}: write `provider:model`, with the vendor's own name of the model")
        return (Candidate(model=name),)


def load_model_catalogue(
    path: str | Path | None, own: Mapping[str, ProviderFactory] = MappingProxyType({})
) -> ModelCatalogue:
    """Read a models.yaml.

    Args:
        path: Path of the file. `offline` maps every name to the offline provider. `None` is a catalogue without a file,
            with `openai`, whose key is in OPENAI_API_KEY, and the App's own providers.
        own: An App's own providers by name. Each is an API for `api:`, and a provider of that name unless the file
            has one.

    Raises:
        ConfigInvalid: the file is invalid; the message has `file:line:column`, the problem, and what is allowed.
    """
    if str(path) == OFFLINE:
        return replace(ModelCatalogue.only(OFFLINE), providers={OFFLINE: ProviderEntry(api=OFFLINE)})
    apis = apis_with(own)
    root = read_yaml(Path(path)).mapping("models.yaml", {"providers", "models", "limits", "tenants"}) if path else {}
    parts = {name: node.mapping(f"`{name}`") for name, node in root.items()}
    named = {name: read_provider(name, node, apis) for name, node in parts.get("providers", {}).items()}
    providers = {**({} if path else WITHOUT_A_FILE), **{name: ProviderEntry(api=name) for name in own}, **named}
    models = parts.get("models", {})
    aliases = Aliases(models, providers)
    for model, node in parts.get("limits", {}).items():
        check_model(model, node, providers)
    return ModelCatalogue(
        apis=apis,
        providers=MappingProxyType(providers),
        aliases=MappingProxyType({name: aliases.route(name) for name in models}),
        limits=MappingProxyType({name: read_limits(node) for name, node in parts.get("limits", {}).items()}),
        tenants=MappingProxyType({name: read_limits(node) for name, node in parts.get("tenants", {}).items()}),
    )
