"""Aliases of models.yaml: parsed, checked, and resolved to their models.

models:
  smart: ["openai:gpt-6.1-sol", "local:qwen3"]                      # tried in this order
  cheap: {policy: cheapest, candidates: [smart, "openai:gpt-6-luna"]}
  split:
    policy: weighted
    candidates:
      - {model: "openai:gpt-6.1-sol", weight: 9}
      - {model: "local:qwen3", temperature: 0}
  sized:
    - {model: "local:qwen3", up_to: 8000}                           # tokens of input
    - "openai:gpt-6.1-sol"
"""

import re
from collections.abc import Collection, Mapping

from pydantic import ValidationError

from llmflow.errors import unknown
from llmflow.providers.models.routing import POLICIES, Alternative, Policy, Route, merged
from llmflow.types.models import Candidate, ModelOptions
from llmflow.types.problems import problems_of, said
from llmflow.types.refs import ModelRef, is_alias
from llmflow.yaml import Node

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_OPTIONS = frozenset(ModelOptions.model_fields)
_ROUTING = frozenset({"weight", "up_to"})


def check_name(what: str, name: str, node: Node) -> None:
    """Check the name of a provider or an alias.

    Raises:
        ConfigInvalid: the name is invalid.
    """
    if not _NAME.fullmatch(name):
        raise node.error(f"{what} {name!r}: a name has only letters, digits, `-`, `_` and `.`")


def check_model(name: str, node: Node, providers: Collection[str]) -> None:
    """Check a `provider:model`.

    Raises:
        ConfigInvalid: models.yaml has no such provider, or there is no model after the colon.
    """
    ref = ModelRef.parse(name)
    if ref.provider not in providers:
        raise node.error(f"model {name!r}: there is no provider {unknown(ref.provider, providers)}")
    if not ref.model:
        raise node.error(f"model {name!r}: add the vendor's name of the model after the colon")


class Aliases:
    """Resolves aliases to their models."""

    def __init__(self, models: Mapping[str, Node], providers: Collection[str]) -> None:
        self._models = models
        self._providers = providers
        self._routes: dict[str, Route] = {}

    def route(self, name: str, above: tuple[str, ...] = ()) -> Route:
        """Return the route of an alias; `above` are the aliases that refer to it."""
        if name not in self._routes:
            self._routes[name] = self._read(name, above)
        return self._routes[name]

    def _read(self, name: str, above: tuple[str, ...]) -> Route:
        node = self._models[name]
        check_name("model", name, node)
        policy, candidates = _policy(name, node)
        alternatives = merged(self._alternative(item, policy, (*above, name)) for item in candidates.sequence())
        if not alternatives:
            raise candidates.error(f"model {name!r} has no candidates: give at least one, such as `provider:model`")
        return Route(name=name, policy=policy, alternatives=alternatives)

    def _alternative(self, node: Node, policy: Policy, above: tuple[str, ...]) -> Alternative:
        if isinstance(node.value, str):
            return Alternative(to=self._meant(node, ModelOptions(), None, above))
        fields = node.mapping("a candidate that is not `provider:model`", _OPTIONS | _ROUTING | {"model"})
        if "model" not in fields:
            raise node.error("the candidate has no `model`: write `{model: provider:model, ...}`")
        if "weight" in fields and policy != "weighted":
            raise fields["weight"].error("a `weight` needs `policy: weighted`, beside `candidates`")
        counts = {name: _count(name, fields.pop(name)) for name in _ROUTING if name in fields}
        model = fields.pop("model")
        return Alternative(
            to=self._meant(model, _options(fields), counts.get("up_to"), above), weight=counts.get("weight", 1)
        )

    def _meant(self, node: Node, options: ModelOptions, up_to: int | None, above: tuple[str, ...]) -> Candidate | Route:
        name = node.text("`model`")
        if not is_alias(name):
            check_model(name, node, self._providers)
            return Candidate(model=name, options=options, up_to=up_to)
        if name not in self._models:
            raise node.error(f"there is no model {unknown(name, self._models)}. Or write `provider:model`")
        if name in above:
            raise node.error(f"model {above[0]!r} leads back to itself: {' -> '.join((*above, name))}")
        return self.route(name, above).given(options, up_to)


def _policy(name: str, node: Node) -> tuple[Policy, Node]:
    """Read the policy and the node of the candidates: under `candidates`, or the alias's own node."""
    if not isinstance(node.value, Mapping) or not {"policy", "candidates"} & set(node.mapping("a model")):
        return "first", node
    fields = node.mapping(f"model {name!r}", {"policy", "candidates"})
    if "candidates" not in fields:
        raise node.error(f"model {name!r} has a `policy` but no `candidates`: write {{policy: ..., candidates: [...]}}")
    if "policy" not in fields:
        return "first", fields["candidates"]
    policy = POLICIES.get(fields["policy"].text("`policy`"))
    if policy is None:
        raise fields["policy"].error(f"there is no policy {unknown(fields['policy'].value, POLICIES)}")
    return policy, fields["candidates"]


def _count(name: str, node: Node) -> int:
    value = node.plain()
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise node.error(f"`{name}` must be a whole number of 1 or more, not {value!r}")
    return value


def _options(fields: Mapping[str, Node]) -> ModelOptions:
    try:
        return ModelOptions.model_validate({name: node.plain() for name, node in fields.items()})
    except ValidationError as error:
        first = problems_of(error)[0]
        raise fields[str(first["loc"][0])].error(said(first)) from None
