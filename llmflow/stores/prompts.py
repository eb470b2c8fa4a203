"""Prompts: what a `.prompt` file says, and the set of them that a worker serves."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pydantic import JsonValue

from llmflow.errors import (
    ConfigInvalid,
    ErrorDetail,
    PromptNotFound,
    PromptVersionMissing,
    VariablesInvalid,
    did_you_mean,
)
from llmflow.stores.templates import Templates
from llmflow.types.messages import Message
from llmflow.types.models import ModelOptions
from llmflow.types.prompts import PromptRef

JsonType = Literal["array", "boolean", "integer", "null", "number", "object", "string"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Prompt:
    """One version of one prompt, ready to be rendered."""

    ref: PromptRef
    templates: Templates
    model: str | None
    """An alias of models.yaml or `provider:model`; without one a call must name its model."""
    options: ModelOptions
    input: Mapping[str, tuple[JsonType, ...]]
    """Variable -> the JSON types that it may have. Empty when the file does not say: then any type will do."""
    output: Mapping[str, JsonValue] | None
    """JSON schema of the answer: an object."""
    tools: tuple[str, ...]
    """Names of the tools that the model is offered."""
    metadata: Mapping[str, JsonValue]
    """Whatever the author notes. No model sees it, and it is no part of the version."""

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that rendering needs, sorted."""
        return self.templates.variables


@dataclass(frozen=True, init=False, eq=False)
class Prompts:
    """The prompts that a worker serves, one version of each: looked up by name or by reference, sorted by name.

    Args:
        prompts: Those that are served now.
        older: Finds a version that was served before, or raises `PromptVersionMissing`.
    """

    _by_name: Mapping[str, Prompt]
    _older: Callable[[PromptRef], Prompt] | None

    def __init__(self, prompts: Iterable[Prompt] = (), older: Callable[[PromptRef], Prompt] | None = None) -> None:
        by_name: dict[str, Prompt] = {}
        for prompt in sorted(prompts, key=lambda prompt: prompt.ref.name):
            other = by_name.setdefault(prompt.ref.name, prompt)
            if other is not prompt:
                raise ConfigInvalid(
                    f"two files give the prompt `{prompt.ref.name}`: {other.templates.path} and "
                    f"{prompt.templates.path}. Rename one, or give its app another name"
                )
        object.__setattr__(self, "_by_name", MappingProxyType(by_name))
        object.__setattr__(self, "_older", older)

    def __iter__(self) -> Iterator[Prompt]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, which: str | PromptRef) -> Prompt:
        """The version that is served under a name, or exactly the version of a reference, also if it is an older one.

        Raises:
            PromptNotFound: there is no prompt of that name; says what there is.
            PromptVersionMissing: that version is not there; says what is, or where it was looked for.
            PromptInvalid: the text that is kept of that version was damaged.
        """
        name = which if isinstance(which, str) else which.name
        prompt = self._by_name.get(name)
        if isinstance(which, PromptRef) and self._older and (prompt is None or prompt.ref != which):
            return self._older(which)
        if prompt is None:
            known = f"It serves: {', '.join(self._by_name)}" if self._by_name else "It serves no prompts"
            raise PromptNotFound(
                f"this worker serves no prompt `{name}`{did_you_mean(name, self._by_name)}. {known}",
                ErrorDetail(field=name),
            )
        if isinstance(which, PromptRef) and which != prompt.ref:
            raise PromptVersionMissing(
                f"this worker does not serve `{which}`: the file was edited and is `{prompt.ref.version}` now. Keep "
                "a worker with the old file until the runs that began with it have ended, or start them again",
                ErrorDetail(field=name),
            )
        return prompt


def render(prompt: Prompt, variables: Mapping[str, JsonValue]) -> tuple[Message, ...]:
    """The prompt's messages with exactly its variables filled in; roles are those of the file, whatever the values say.

    Raises:
        VariablesInvalid: variables are missing, unknown, of the wrong type, no JSON, or too large (a message has at
            most a million characters); nothing of the prompt was rendered.
        PromptInvalid: a template cannot be rendered; says file:line:column.
    """
    problems = [*_wrong_names(prompt, variables), *_wrong_types(prompt, variables)]
    if problems:
        uses = ", ".join(f"`{name}`" for name in prompt.variables) or "no variables"
        raise VariablesInvalid(
            f"prompt `{prompt.ref}`: {'; '.join(text for _, text in problems)}. It uses {uses}",
            ErrorDetail(field=problems[0][0]),
        )
    return prompt.templates.render(dict(variables))


def _wrong_names(prompt: Prompt, variables: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    missing = [name for name in prompt.variables if name not in variables]
    for name in missing:
        yield name, f"variable `{name}` is missing (give `null` to say nothing)"
    for name in variables:
        if name not in prompt.variables:
            yield (
                name,
                f"variable `{name}` is not used by its templates{did_you_mean(name, missing or prompt.variables)}",
            )


def _wrong_types(prompt: Prompt, variables: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    for name, types in prompt.input.items():
        if name in variables and _types_of(variables[name]).isdisjoint(types):
            given = type(variables[name]).__name__
            yield name, f"variable `{name}` must be {' or '.join(types)}, and is of Python type `{given}`"


def _types_of(value: object) -> frozenset[JsonType]:
    """The JSON types that a Python value has: none if it is no JSON."""
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
