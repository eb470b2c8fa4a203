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
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from pydantic import ValidationError

from llmflow.errors import ModelNotFound
from llmflow.providers._yaml import Node, read_yaml, unknown
from llmflow.types.models import Candidate, ModelOptions

Api = Literal["responses", "chat", "offline"]
OFFLINE = "offline"
_APIS: Mapping[str, Api] = MappingProxyType({api: api for api in get_args(Api)})

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_URL = re.compile(r"https?://[^/?#@\s]+(/[^?#\s]*)?")
_OPTIONS = frozenset(ModelOptions.model_fields)


@dataclass(frozen=True, kw_only=True)
class ProviderEntry:
    """One vendor of models.yaml."""

    api: Api
    """`responses` and `chat` are OpenAI's two APIs, `offline` is no vendor and no model."""
    base_url: str | None = None
    """Where the API begins; `None` for OpenAI itself, or where `OPENAI_BASE_URL` points."""
    key: str | None = None
    """The environment variable that holds the key; `None` for servers that ask for none."""


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What one models.yaml says."""

    providers: Mapping[str, ProviderEntry]
    aliases: Mapping[str, tuple[Candidate, ...]]
    sole: str | None = None
    """The provider that answers for every name, whatever it is; `None` in a catalogue that was read from a file."""

    @classmethod
    def only(cls, provider: str) -> "Catalogue":
        """A catalogue in which every name means this one provider, which its user connects: a test's, say."""
        return cls(providers={}, aliases={}, sole=provider)

    def resolve(self, name: str) -> tuple[Candidate, ...]:
        """The candidates of an alias, in the order in which they are tried; or the one model `provider:model`.

        Raises:
            ModelNotFound: models.yaml has no such alias, or no such provider.
        """
        if name in self.aliases:
            return self.aliases[name]
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


def load_catalogue(path: str | Path) -> Catalogue:
    """Read a models.yaml; `offline` instead of a path is the catalogue in which no name means a model.

    Raises:
        ConfigInvalid: says `file:line:column`, what is wrong, and what may stand there.
    """
    if str(path) == OFFLINE:
        return replace(Catalogue.only(OFFLINE), providers={OFFLINE: ProviderEntry(api=OFFLINE)})
    root = read_yaml(Path(path)).mapping("models.yaml", {"providers", "models"})
    entries = root["providers"].mapping("`providers`") if "providers" in root else {}
    providers = {name: _provider(name, node) for name, node in entries.items()}
    models = root["models"].mapping("`models`") if "models" in root else {}
    reader = _Aliases(models, providers)
    return Catalogue(
        providers=MappingProxyType(providers),
        aliases=MappingProxyType({name: reader.candidates(name, ()) for name in models}),
    )


def _provider(name: str, node: Node) -> ProviderEntry:
    _check_name("provider", name, node)
    fields = node.mapping(f"provider {name!r}", {"api", "base_url", "key"})
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
    return ProviderEntry(api=api, base_url=base_url, key=key)


def _check_name(what: str, name: str, node: Node) -> None:
    if not _NAME.fullmatch(name):
        raise node.error(f"{what} {name!r}: a name has letters, digits, `-`, `_` and `.`, and no `:`")


class _Aliases:
    """Follows aliases to their models."""

    def __init__(self, models: Mapping[str, Node], providers: Mapping[str, ProviderEntry]) -> None:
        self._models = models
        self._providers = providers

    def candidates(self, name: str, above: tuple[str, ...]) -> tuple[Candidate, ...]:
        """All of an alias; `above` are the aliases that led here."""
        node = self._models[name]
        _check_name("model", name, node)
        found = [self._candidate(item, (*above, name)) for item in node.sequence()]
        if not found:
            raise node.error(f"model {name!r} has no candidates: give at least one, such as `provider:model`")
        return tuple(candidate for some in found for candidate in some)

    def _candidate(self, node: Node, above: tuple[str, ...]) -> tuple[Candidate, ...]:
        if isinstance(node.value, str):
            return self._meant(node, ModelOptions(), above)
        fields = node.mapping("a candidate that is not `provider:model`", _OPTIONS | {"model"})
        if "model" not in fields:
            raise node.error("the candidate has no `model`: write `{model: provider:model, ...}`")
        return self._meant(fields.pop("model"), _options(fields), above)

    def _meant(self, node: Node, options: ModelOptions, above: tuple[str, ...]) -> tuple[Candidate, ...]:
        name = node.text("`model`")
        provider, colon, model = name.partition(":")
        if colon:
            if provider not in self._providers:
                raise node.error(f"model {name!r}: there is no provider {unknown(provider, self._providers)}")
            if not model:
                raise node.error(f"model {name!r}: after the colon stands the vendor's own name of the model")
            return (Candidate(model=name, options=options),)
        if name not in self._models:
            raise node.error(f"there is no model {unknown(name, self._models)}. Or write `provider:model`")
        if name in above:
            raise node.error(f"model {above[0]!r} leads back to itself: {' -> '.join((*above, name))}")
        meant = self.candidates(name, above)
        return tuple(Candidate(model=one.model, options=options.over(one.options)) for one in meant)


def _options(fields: Mapping[str, Node]) -> ModelOptions:
    try:
        return ModelOptions.model_validate({name: node.plain() for name, node in fields.items()})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise fields[name].error(f"{name}: {first['msg']}") from None
