"""A shape accepts what pydantic reads, without the user's validators."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, JsonValue, TypeAdapter, ValidationError, field_validator
from typing_extensions import TypedDict

from llmflow.types.shapes import shape_of


class Colour(Enum):
    RED = "red"
    TEA = "tea"


class Leaf(BaseModel):
    kind: Literal["leaf"]
    value: int


class Node(BaseModel):
    kind: Literal["node"]
    kids: list[Annotated["Node | Leaf", Field(discriminator="kind")]] = []


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(alias="Name", min_length=2)
    age: Annotated[int, Field(ge=0, lt=100)] = 3


@dataclass
class Point:
    x: float
    y: float = 0.0


class Cup(TypedDict):
    size: int


KINDS: list[Any] = [  # Any: types of every kind
    *(str, int, float, bool, None, date, datetime, time, timedelta, UUID, HttpUrl, Colour),
    *(list[int], tuple[int, str], set[int], dict[str, int], int | None, Literal[1, "a", None]),
    *(Annotated[str, Field(pattern="^t")], Annotated[list[int], Field(min_length=2)], Annotated[int, Field(gt=2)]),
    *(Annotated[dict[str, int], Field(min_length=1)], Leaf, Node, Closed, Point, Cup, JsonValue),
]
VALUES: list[JsonValue] = [
    *(None, True, 0, 1, 3, -1, 1.5, "", "a", "tea", "3", "2026-11-30", "2026-11-30T10:00:00Z", "10:00", "PT3S"),
    *("https://example.org/x", "813b499b-f94e-4091-b81b-5ca49a50c0ee", [], [1], [1, 2], [1, "a"], ["x"]),
    *({}, {"1": "a"}, {"a": 1}, {"size": 1}, {"x": 1}, {"Name": "tea"}, {"Name": "tea", "more": 1}, {"Name": "t"}),
    *({"Name": "tea", "age": 100}, {"kind": "leaf", "value": "3"}, {"kind": "leaf"}, {"kind": "node"}),
    {"kind": "node", "kids": [{"kind": "node", "kids": [{"kind": "leaf", "value": 1}]}]},
    {"kind": "node", "kids": [{"kind": "node", "kids": [{"kind": "leaf", "value": "x"}]}]},
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_it_reads_what_pydantic_reads(kind: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    shape = shape_of(adapter.json_schema())
    for value in VALUES:
        text = json.dumps(value)
        assert shape.fits(text) == _reads(adapter, text), text


def _reads(adapter: TypeAdapter[Any], text: str) -> bool:
    try:
        adapter.validate_json(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("text", ["", "tea", '{"a"', '"\ud800"', "[" * 100_000])
def test_no_text_breaks_it(text: str) -> None:
    assert not shape_of(TypeAdapter(list[int]).json_schema()).fits(text)


class Before(BaseModel):
    """A cup."""

    colour: str
    size: int = 3


class Described(BaseModel):
    """A cup of tea. The order of its fields is another one."""

    size: int = Field(default=4, description="in ml", title="Size!")
    colour: str

    @field_validator("colour")
    @classmethod
    def _is_red(cls, colour: str) -> str:
        raise ValueError(colour)


class More(Before):
    milk: bool = False


def test_its_hash_is_that_of_what_it_reads() -> None:
    before, described, more = (shape_of(kind.model_json_schema()) for kind in (Before, Described, More))
    assert before.hash == described.hash == "5f25dbe3"
    assert more.hash != before.hash


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$ref": "#"},
        {"$ref": "#/$defs/nothing"},
        {"$defs": {"A": {"$ref": "#/$defs/A"}}, "$ref": "#/$defs/A"},
        {"$defs": [1]},
        {"type": "integer", "minimum": "x"},
        {"type": "string", "pattern": "(?=a)"},
        {"type": "x"},
        {"type": []},
        {"type": ["string", "null"]},
        {"anyOf": []},
        {"enum": []},
        {"const": {"a": 1}},
    ],
)
def test_what_pydantic_does_not_write_narrows_nothing(schema: dict[str, JsonValue]) -> None:
    assert shape_of(schema).fits('"b"')
