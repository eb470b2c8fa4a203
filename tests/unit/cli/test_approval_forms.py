"""Forms of questions, from the JSON schema that pydantic writes."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from llmflow.cli.forms import Field as FormField
from llmflow.cli.forms import fields_of


class Size(StrEnum):
    S = "small"
    L = "large"


class Address(BaseModel):
    street: str


class Form(BaseModel):
    usd: Decimal = Field(gt=0, le=500, description="how much")
    count: int = Field(ge=1)
    share: float = 0.5
    urgent: bool
    why: Literal["damaged", "late", 3]
    size: Size | None = None
    on: date
    note: str = Field("none", max_length=9)
    tags: list[str]
    to: Address
    more: Any = None


def fields(kind: type[BaseModel] = Form) -> dict[str, FormField]:
    return {field.name: field for field in fields_of(kind.model_json_schema())}


def test_fields_say_what_they_take() -> None:
    assert list(map(str, fields().values())) == [
        "usd (number, above 0, to 500)",
        "count (integer, from 1)",
        "share (number, optional)",
        "urgent (boolean)",
        "why (damaged | late | 3)",
        "size (small | large, optional)",
        "on (string, as date)",
        "note (string, at most 9 characters, optional)",
        "tags (array, as JSON)",
        "to (object, as JSON with street)",
        "more (JSON, optional)",
    ]
    assert fields()["usd"].about == "how much"
    assert (fields()["share"].default, fields()["note"].default) == (0.5, "none")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("usd", "12.50", "12.50"),
        ("count", "3", 3),
        ("share", "1", 1),
        ("share", "1e-3", 0.001),
        ("urgent", "Yes", True),
        ("urgent", "n", False),
        ("why", "late", "late"),
        ("why", "3", 3),
        ("size", "large", "large"),
        ("on", "2026-11-21", "2026-11-21"),
        ("note", "12", "12"),
        ("tags", '["a"]', ["a"]),
        ("to", '{"street": "x"}', {"street": "x"}),
        ("more", "[1]", [1]),
    ],
)
def test_what_a_person_writes_is_read(name: str, text: str, value: object) -> None:
    assert fields()[name].read(text) == value


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("usd", "much", "expected number, above 0, to 500"),
        ("usd", "-4", "expected number, above 0, to 500"),
        ("usd", "500.01", "expected number, above 0, to 500"),
        ("count", "0", "expected integer, from 1"),
        ("note", "0123456789", "expected string, at most 9 characters"),
        ("usd", "nan", "expected number"),
        ("usd", "", "expected number"),
        ("count", "1.5", "expected integer"),
        ("urgent", "perhaps", "expected boolean"),
        ("why", "lost", "write one of damaged, late, 3"),
        ("tags", "a", "expected array"),
        ("to", "[]", "expected object"),
        ("note", "", "expected string"),
        ("more", "{", "expected JSON"),
    ],
)
def test_what_does_not_fit_is_said(name: str, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        fields()[name].read(text)


class Tree(BaseModel):
    name: str
    parent: "Tree | None" = None


def test_a_form_that_refers_to_itself() -> None:
    assert list(map(str, fields(Tree).values())) == [
        "name (string)",
        "parent (object, as JSON with name, parent, optional)",
    ]
