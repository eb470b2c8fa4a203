"""The type of an answer, out and back."""

from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, field_validator

from llmflow.errors import InputInvalid, OutputInvalid
from llmflow.flow.completions.output import output_of
from llmflow.types.completions import CompletionResult
from llmflow.types.shapes import shape_of
from llmflow.types.usage import Cost, Usage


class Colour(Enum):
    RED = "red"


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)

    due: date
    colour: Colour


class Checked(BaseModel):
    score: int

    @field_validator("score")
    @classmethod
    def _positive(cls, score: int) -> int:
        if score < 0:
            raise ValueError("a score is never negative")
        return score


def test_text_needs_no_schema() -> None:
    output = output_of(str)
    assert output.schema is None
    assert output.read("not json {") == "not json {"


def test_a_strict_model_reads_what_json_can_say() -> None:
    answer = output_of(Strict).read('{"due": "2026-11-21", "colour": "red"}')
    assert answer == Strict(due=date(2026, 11, 21), colour=Colour.RED)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [(list[int], "[1, 2]", [1, 2]), (dict[str, bool], '{"a": true}', {"a": True}), (bool, "true", True)],
)
def test_types_that_are_no_models(kind: Any, text: str, value: object) -> None:
    output = output_of(kind)
    assert output.schema is not None
    assert output.read(text) == value


def test_the_schema_has_the_models_name_and_no_titles_of_fields() -> None:
    schema = output_of(Checked).schema
    assert schema is not None
    assert schema.name == "Checked"
    assert schema.json_schema["properties"] == {"score": {"type": "integer"}}


def test_names_are_what_vendors_accept() -> None:
    model = type("Übergröße[int]", (Checked,), {})
    schema = output_of(model).schema
    assert schema is not None
    assert schema.name == "_bergr__e_int_"


def test_a_model_class_carries_its_own_and_a_subclass_another() -> None:
    class Child(Checked):
        extra: str

    assert output_of(Checked) is output_of(Checked)
    assert output_of(Child) is not output_of(Checked)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "- score: Field required"),
        ('{"score": -1}', "- score: a score is never negative"),
        ("hello", "- the answer: Invalid JSON"),
    ],
)
def test_what_does_not_fit_says_where(text: str, says: str) -> None:
    with pytest.raises(OutputInvalid) as refused:
        output_of(Checked).read(text)
    assert says in refused.value.message
    assert refused.value.detail.answer == text


class Wider(Checked):
    why: str


class Looser(Checked):
    why: str = ""


@pytest.mark.parametrize(
    ("asked", "today", "text", "has_changed"),
    [
        (Checked, Wider, '{"score": 1}', True),
        (Checked, Wider, '{"score": -1}', True),
        (Checked, Wider, '{"score": "x"}', False),  # it did not fit before either
        (Checked, Checked, '{"score": -1}', False),  # its validator has refused it
        (Checked, Looser, '{"score": -1}', False),  # the same validator
        (str, Checked, "hello", True),
        (str, Checked, '{"score": -1}', False),
    ],
)
def test_a_class_has_changed_if_an_answer_had_its_shape_and_has_no_more(
    asked: Any, today: Any, text: str, has_changed: bool
) -> None:
    schema = output_of(asked).schema
    shape = shape_of(schema.json_schema) if schema else None
    answer = CompletionResult(
        text=text,
        model="a:b",
        usage=Usage(),
        cost=Cost(usd=None, source="none"),
        shape=shape.hash if shape else None,
        fits=shape.fits(text) if shape else True,
    )
    assert output_of(today).has_changed(answer) is has_changed


class Opaque: ...


@pytest.mark.parametrize("kind", [Callable[[], int], Opaque])
def test_a_type_without_a_schema_is_refused(kind: Any) -> None:
    with pytest.raises(InputInvalid, match="has no JSON schema") as refused:
        output_of(kind)
    assert refused.value.detail.field == "output"
