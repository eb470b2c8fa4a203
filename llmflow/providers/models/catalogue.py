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

`entries.py` has what a provider is, `limits.py` what limits may stand there, `aliases.py` what candidates and policies.
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
"""The providers of an App without a models.yaml: its prompts name models as `openai:gpt-6-luna`."""


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
    apis: Mapping[str, Api] = field(default_factory=lambda: SHIPPED)
    """What the `api` of a provider can be, by name."""
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
        ref = ModelRef.parse(name)
        if self.sole:
            return (Candidate(model=str(ModelRef(self.sole, ref.model or name))),)
        if is_alias(name) and not self.aliases:
            raise ModelNotFound(
                f"model {name!r}: no models.yaml says what it means: give the App models=Path(...), set LLMFLOW_MODELS,"
                " or write `provider:model`"
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
        path: Of the file. `offline` is the model catalogue in which no name means a model; `None` one without a file,
            which has `openai`, with the key in OPENAI_API_KEY, and the App's own providers.
        own: An App's own providers, by name. Each is an API that `api:` can name, and a provider of that name unless
            the file has one.

    Raises:
        ConfigInvalid: says `file:line:column`, what is wrong, and what may stand there.
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
