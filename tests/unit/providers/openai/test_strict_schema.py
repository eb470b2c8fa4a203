"""Strict mode: what is sent, what cannot be said in it, and the way back."""

import json
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

from llmflow.providers.openai.strict_schema import wire_schema

INTEGER = {"type": "integer"}
STRING = {"type": "string"}


class Color(Enum):
    RED = "red"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(default=9, ge=1, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = Field(default_factory=list)


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


class Everything(BaseModel):
    """All that pydantic writes and strict mode takes, one way or the other."""

    title: str = Field(min_length=3, max_length=9, pattern="^[a-z]+$", description="Of it.")
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    favourite: Cat = Field(description="The best one.")
    color: Color = Color.RED
    amount: Decimal
    day: date
    id: UUID
    tags: set[str] = set()
    maybe: int | None = None
    size: int = Field(default=3, description="In cm.", multiple_of=3)


class Extra(BaseModel, extra="allow"):
    name: str


class Loose(TypedDict):
    here: str
    perhaps: NotRequired[int]


def of(type_: Any) -> dict[str, Any]:
    return TypeAdapter(type_).json_schema()


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


@pytest.mark.parametrize(
    ("type_", "schema"),
    [
        (Cat, closed(kind={"const": "cat", "type": "string"}, lives=INTEGER | {"minimum": 1, "maximum": 9})),
        (Loose, closed(here=STRING, perhaps=INTEGER)),
        (BaseModel, closed()),
        (int, closed(value=INTEGER)),
        (str | None, closed(value={"anyOf": [STRING, {"type": "null"}]})),
        (Color, closed(value={"enum": ["red"]} | STRING)),
        (list[int], closed(value={"type": "array", "items": INTEGER})),
        (Annotated[list[int], Field(min_length=1)], closed(value={"type": "array", "items": INTEGER, "minItems": 1})),
        (list[Cat | None], None),
        (Cat | Dog, None),
        (Tree, None),
        (Everything, None),
    ],
)
def test_what_strict_mode_takes(type_: Any, schema: dict[str, Any] | None) -> None:
    wire = wire_schema(of(type_))
    assert wire.strict
    assert_strict(wire.schema)
    if schema is not None:
        assert without_notes(wire.schema) == without_notes(schema)


@pytest.mark.parametrize(
    "type_",
    [dict[str, int], dict, Any, Extra, tuple[int, str], list[dict[str, int]], Literal["a", 1], object, list],
)
def test_what_it_cannot_say_is_sent_as_it_is(type_: Any) -> None:
    wire = wire_schema(of(type_))
    assert not wire.strict
    schema: Any = wire.schema
    assert schema["type"] == "object"
    assert (schema["properties"]["value"] if wire.wrapped else schema) == of(type_)


def test_properties_of_a_model() -> None:
    properties: Any = wire_schema(of(Everything)).schema["properties"]
    assert properties["title"] == {"type": "string", "pattern": "^[a-z]+$", "description": "Of it."}
    assert properties["pet"] == {"anyOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]}
    assert properties["favourite"] == {"anyOf": [{"$ref": "#/$defs/Cat"}], "description": "The best one."}
    assert properties["amount"] == {"anyOf": [{"type": "number"}, STRING]}, "its pattern has a look-ahead"
    assert properties["day"] == {"type": "string", "format": "date"}
    assert properties["size"] == {"type": "integer", "multipleOf": 3, "description": "In cm. (default: 3)"}


def test_a_recursive_root_is_an_object() -> None:
    schema: Any = wire_schema(of(Tree)).schema
    assert schema["type"] == "object"
    assert schema["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert_strict(schema)


def test_a_property_may_be_named_like_a_keyword() -> None:
    named: Any = {"default": STRING, "title": STRING, "$ref": STRING}
    wire = wire_schema({"type": "object", "properties": named})
    assert wire.schema == closed(**named)


def test_the_schema_that_was_given_is_not_touched() -> None:
    schema = of(Everything)
    wire_schema(schema)
    assert schema == of(Everything)


def test_computed_once() -> None:
    assert wire_schema(of(Everything)) is wire_schema(of(Everything))


LEAVES = st.sampled_from(
    [STRING, INTEGER, {"type": "null"}, {"enum": ["a"], "type": "string"}, {}, {"type": "object"}, {"type": "array"}]
)
NOISE = st.dictionaries(
    st.sampled_from(["title", "default", "minLength", "uniqueItems", "x-mine", "examples", "format", "deprecated"]),
    st.sampled_from(["uri", 1, None, ["a"]]),
)


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(["a", "b", "type", "properties"])
    return st.one_of(
        st.builds(lambda p, n: {**n, "type": "object", "properties": p}, st.dictionaries(names, inner), NOISE),
        st.builds(lambda i, n: {**n, "type": "array", "items": i}, inner, NOISE),
        st.builds(lambda i: {"type": "array", "prefixItems": [i]}, inner),
        st.builds(lambda i: {"type": "object", "additionalProperties": i}, inner),
        st.builds(lambda o, n: {**n, "anyOf": o}, st.lists(inner, min_size=1, max_size=3), NOISE),
        st.builds(lambda o: {"oneOf": o}, st.lists(inner, min_size=1, max_size=3)),
    )


@given(st.recursive(LEAVES, nested, max_leaves=8))
def test_any_schema(schema: dict[str, Any]) -> None:
    before = json.dumps(schema)
    wire = wire_schema(schema)
    assert wire.schema["type"] == "object"
    if wire.strict:
        assert_strict(wire.schema)
    assert json.dumps(schema) == before


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
SPACE = st.text(" \n\t", max_size=2)


@given(VALUES, SPACE, SPACE, st.booleans(), st.sampled_from([None, 2]))
def test_unwrapping_is_exact(value: Any, before: str, after: str, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    wrapped = f'{before}{{{after}"value"{before}:{after}{text}{after}}}{before}'
    assert wire_schema(INTEGER).read([wrapped]) == text


@pytest.mark.parametrize("text", ["", "3", '{"value": [1,', '{"value": 1, "other": 2}', '{"other": 1}', "sorry", "{}"])
def test_what_is_not_wrapped_stays(text: str) -> None:
    assert wire_schema(INTEGER).read([text]) == text


def test_an_object_is_not_unwrapped() -> None:
    assert wire_schema(closed(value=INTEGER)).read(['{"value": 1}']) == '{"value": 1}'


def assert_strict(schema: Any) -> None:
    """The rules of OpenAI's structured outputs."""
    allowed = {"type", "enum", "const", "description", "anyOf", "$ref", "$defs", "properties", "required", "items"}
    allowed |= {"additionalProperties", "minItems", "maxItems", "minimum", "maximum", "multipleOf", "pattern", "format"}
    assert schema.keys() <= allowed
    assert schema.keys() & {"type", "anyOf", "$ref"}
    assert "$ref" not in schema or schema.keys() == {"$ref"}
    if schema.get("type") == "object":
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])
    if schema.get("type") == "array":
        assert_strict(schema["items"])
    inner = [schema.get("$defs", {}).values(), schema.get("properties", {}).values(), schema.get("anyOf", [])]
    for some in inner:
        for one in some:
            assert_strict(one)


def without_notes(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: without_notes(value) for key, value in schema.items() if key != "description"}
    return schema
