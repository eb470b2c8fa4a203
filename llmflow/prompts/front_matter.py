"""The YAML at the top of a `.prompt` file: what it may say, and where in the file it says it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError, field_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from llmflow.errors import did_you_mean
from llmflow.prompts.prompt import JsonType
from llmflow.prompts.templates import Problem
from llmflow.types.models import ModelOptions


def _split_types(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("write the type as text, such as `string` or `array | null`")
    return [part.strip() for part in value.split("|")]


class _Config(ModelOptions):
    model_config = ConfigDict(extra="forbid")


class FrontMatter(BaseModel):
    """What an author may say of a prompt besides its messages; everything is optional."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = None
    config: _Config = _Config()
    input: dict[str, Annotated[tuple[JsonType, ...], BeforeValidator(_split_types)]] = {}
    output: dict[str, JsonValue] | None = None
    tools: list[str] = []
    metadata: dict[str, JsonValue] = {}

    @property
    def options(self) -> ModelOptions:
        """`config`, as what it is once unknown keys are ruled out."""
        return ModelOptions.model_validate(self.config.model_dump())

    @field_validator("output")
    @classmethod
    def _is_object(cls, schema: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
        if schema is not None and (schema.get("type") != "object" or "properties" not in schema):
            raise ValueError("vendors want the JSON schema of an object here: `type: object` and `properties`")
        return schema


@dataclass(frozen=True)
class Positions:
    """Where in the file the front matter says what."""

    root: Node | None

    def of(self, path: Sequence[int | str]) -> tuple[int, int]:
        """Line and column, from 1, of the innermost key or item on the path that is in the file."""
        line, column, node = 1, 1, self.root
        for key in path:
            found = _child(node, key)
            if found is None:
                break
            mark, node = cast(StreamMark, found[0].start_mark), found[1]
            line, column = mark.line + 1, mark.column + 1
        return line, column


def _child(node: Node | None, key: int | str) -> tuple[Node, Node] | None:
    """What stands for the key (its own node, or the item), and what it holds."""
    if isinstance(node, MappingNode):
        pairs = cast(list[tuple[Node, Node]], node.value)
        return next(((name, value) for name, value in pairs if name.value == str(key)), None)
    if isinstance(node, SequenceNode) and isinstance(key, int):
        item = cast(list[Node], node.value)[key]
        return item, item
    return None


def read_front_matter(lines: Sequence[str]) -> tuple[FrontMatter, Positions, list[Problem]]:
    """Read the lines between the two `---`, of which the first is line 2 of the file."""
    text = "\n" + "\n".join(lines)
    try:
        root = cast(Node | None, YAML(typ="safe", pure=True).compose(text))
        data = cast(object, YAML(typ="safe", pure=True).load(text))
    except MarkedYAMLError as error:
        mark = cast(StreamMark, error.problem_mark or error.context_mark)
        return FrontMatter(), Positions(None), [Problem(mark.line + 1, mark.column + 1, cast(str, error.problem))]
    except (YAMLError, ValueError) as error:  # characters that YAML forbids, dates that do not exist: no position
        return FrontMatter(), Positions(None), [Problem(1, 1, f"the front matter is no YAML: {error}")]
    positions = Positions(root)
    if data is None:
        return FrontMatter(), positions, []
    if not isinstance(data, dict):
        known = ", ".join(FrontMatter.model_fields)
        return FrontMatter(), positions, [Problem(2, 1, f"the front matter must be `key: value` lines; keys: {known}")]
    try:
        return FrontMatter.model_validate(data), positions, []
    except ValidationError as error:
        return FrontMatter(), positions, list(_problems(error, positions))


def _problems(error: ValidationError, positions: Positions) -> Iterator[Problem]:
    seen: set[tuple[int, int]] = set()
    for detail in error.errors():
        place = positions.of(detail["loc"])
        if place not in seen:  # one value can fail each member of a union
            seen.add(place)
            yield Problem(*place, _message(detail))


def _message(detail: ErrorDetails) -> str:
    *outer, name = detail["loc"]
    if detail["type"] == "extra_forbidden":
        fields = ModelOptions.model_fields if outer == ["config"] else FrontMatter.model_fields
        where = "`config`" if outer else "the front matter"
        return f"`{name}` is no key of {where}{did_you_mean(str(name), fields)}; it knows {', '.join(fields)}"
    return f"`{'.'.join(str(part) for part in detail['loc'])}`: {detail['msg'].removeprefix('Value error, ')}"
