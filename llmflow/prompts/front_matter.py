"""YAML at the top of a `.prompt` file: its keys, and the position of each in the file."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError, field_validator
from pydantic_core import ErrorDetails

from llmflow.errors import did_you_mean
from llmflow.prompts.prompt import JsonType
from llmflow.types.models import ModelOptions
from llmflow.types.problems import problems_of, said
from llmflow.yaml import Node, Problem, parse_yaml


def _split_types(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("write the type as text, such as `string` or `array | null`")
    return [part.strip() for part in value.split("|")]


class _Config(ModelOptions):
    model_config = ConfigDict(extra="forbid")


class FrontMatter(BaseModel):
    """Front matter of a prompt. Everything is optional."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = None
    config: _Config = _Config()
    input: dict[str, Annotated[tuple[JsonType, ...], BeforeValidator(_split_types)]] = {}
    output: dict[str, JsonValue] | None = None
    tools: list[str] = []
    metadata: dict[str, JsonValue] = {}

    @property
    def options(self) -> ModelOptions:
        """Return `config` with its type, after unknown keys are ruled out."""
        return ModelOptions.model_validate(self.config.model_dump())

    @field_validator("output")
    @classmethod
    def _is_object(cls, schema: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
        if schema is not None and (schema.get("type") != "object" or "properties" not in schema):
            raise ValueError("vendors want the JSON schema of an object here: `type: object` and `properties`")
        return schema


def read_front_matter(lines: Sequence[str]) -> tuple[FrontMatter, Node, list[Problem]]:
    """Read the lines between the two `---`, of which the first is line 2 of the file."""
    root = parse_yaml("\n" + "\n".join(lines))
    if isinstance(root, Problem):
        return FrontMatter(), Node("", 1, 1, None), [root]
    if root.value is None:
        return FrontMatter(), root, []
    if not isinstance(root.value, dict):
        known = ", ".join(FrontMatter.model_fields)
        return FrontMatter(), root, [Problem(2, 1, f"the front matter must be `key: value` lines; keys: {known}")]
    try:
        return FrontMatter.model_validate(root.value), root, []
    except ValidationError as error:
        return FrontMatter(), root, list(_problems(error, root))


def _problems(error: ValidationError, root: Node) -> Iterator[Problem]:
    seen: set[tuple[int, int]] = set()
    for detail in problems_of(error):
        place = root.place(detail["loc"])
        if place not in seen:  # one value can fail each member of a union
            seen.add(place)
            yield Problem(*place, _message(detail))


def _message(detail: ErrorDetails) -> str:
    *outer, name = detail["loc"]
    if detail["type"] == "extra_forbidden":
        fields = ModelOptions.model_fields if outer == ["config"] else FrontMatter.model_fields
        where = "`config`" if outer else "the front matter"
        return f"`{name}` is not a key of {where}{did_you_mean(str(name), fields)}; it knows {', '.join(fields)}"
    return said(detail)
