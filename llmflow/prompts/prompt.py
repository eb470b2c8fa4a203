"""Prompts: the parsed `.prompt` file, and the set of them that a worker serves from files."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pydantic import JsonValue

from llmflow.errors import (
    ConfigInvalid,
    ErrorDetail,
    PromptNotFound,
    VariablesInvalid,
    did_you_mean,
)
from llmflow.prompts.templates import Templates
from llmflow.types.messages import Message
from llmflow.types.models import ModelOptions
from llmflow.types.refs import PromptRef

JsonType = Literal["array", "boolean", "integer", "null", "number", "object", "string"]


@dataclass(frozen=True, kw_only=True, eq=False)
class PromptVersion:
    """One version of one prompt, ready to be rendered."""

    ref: PromptRef
    text: str
    """Text of the file, with its comments and metadata."""
    templates: Templates
    model: str | None
    """Alias of models.yaml, or `provider:model`. Without one, the call must name its model."""
    options: ModelOptions
    input: Mapping[str, tuple[JsonType, ...]]
    """Variable -> the JSON types that it may have. Empty if the file does not declare them: any type is accepted."""
    output: Mapping[str, JsonValue] | None
    """JSON schema of the answer: an object."""
    tools: tuple[str, ...]
    """Names of the tools offered to the model."""
    metadata: Mapping[str, JsonValue]
    """Notes of the author. No model sees them, and the version does not cover them."""

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that rendering needs, sorted."""
        return self.templates.variables


@dataclass(frozen=True, init=False, eq=False)
class Prompts:
    """The prompts of an App's files, one version of each: looked up by name, sorted by name."""

    _by_name: Mapping[str, PromptVersion]

    def __init__(self, prompts: Iterable[PromptVersion] = ()) -> None:
        by_name: dict[str, PromptVersion] = {}
        for prompt in sorted(prompts, key=lambda prompt: prompt.ref.name):
            other = by_name.setdefault(prompt.ref.name, prompt)
            if other is not prompt:
                raise ConfigInvalid(
                    f"two files give the prompt `{prompt.ref.name}`: {other.templates.path} and "
                    f"{prompt.templates.path}. Rename one, or give its app another name"
                )
        object.__setattr__(self, "_by_name", MappingProxyType(by_name))

    def __iter__(self) -> Iterator[PromptVersion]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def get(self, name: str) -> PromptVersion:
        """Return the version in the file of that name.

        Raises:
            PromptNotFound: no prompt has that name; lists those that exist.
        """
        if name not in self._by_name:
            known = f"It serves: {', '.join(self._by_name)}" if self._by_name else "It serves no prompts"
            raise PromptNotFound(
                f"this worker serves no prompt `{name}`{did_you_mean(name, self._by_name)}. {known}",
                ErrorDetail(field=name),
            )
        return self._by_name[name]


def render(prompt: PromptVersion, variables: Mapping[str, JsonValue]) -> tuple[Message, ...]:
    """Return the prompt's messages with exactly its variables filled in. Values cannot change the roles of the file.

    Raises:
        VariablesInvalid: variables are missing, unknown, of the wrong type, not JSON, or too large (a message has at
            most a million characters); nothing of the prompt was rendered.
        PromptInvalid: a template cannot be rendered; names file:line:column.
    """
    problems = [*_wrong_names(prompt, variables), *_wrong_types(prompt, variables)]
    if problems:
        uses = ", ".join(f"`{name}`" for name in prompt.variables) or "no variables"
        raise VariablesInvalid(
            f"prompt `{prompt.ref}`: {'; '.join(text for _, text in problems)}. It uses {uses}",
            ErrorDetail(field=problems[0][0]),
        )
    return prompt.templates.render(dict(variables))


def _wrong_names(prompt: PromptVersion, variables: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    missing = [name for name in prompt.variables if name not in variables]
    for name in missing:
        yield name, f"variable `{name}` is missing (give `None`, in JSON `null`, to leave it empty)"
    for name in variables:
        if name not in prompt.variables:
            yield (
                name,
                f"variable `{name}` is not used by its templates{did_you_mean(name, missing or prompt.variables)}",
            )


def _wrong_types(prompt: PromptVersion, variables: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    for name, types in prompt.input.items():
        if name in variables and _types_of(variables[name]).isdisjoint(types):
            given = type(variables[name]).__name__
            yield name, f"variable `{name}` must be {' or '.join(types)}, and is of Python type `{given}`"


def _types_of(value: object) -> frozenset[JsonType]:
    """Return the JSON types of a Python value: none if it is not JSON."""
    match value:
        case None:
            return frozenset({"null"})
        case bool():
            return frozenset({"boolean"})
        case int():
            return frozenset({"integer", "number"})
        case float():
            return frozenset({"number"})
        case str():
            return frozenset({"string"})
        case list() | tuple():
            return frozenset({"array"})
        case Mapping():
            return frozenset({"object"})
        case _:
            return frozenset()
