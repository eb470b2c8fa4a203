"""One wording for all of pydantic's validation problems."""

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError, field_validator

from llmflow.types.problems import described, listed, message_of, path_of, problems_of, said


class Order(BaseModel):
    count: int
    items: list[int] = []

    @field_validator("count")
    @classmethod
    def _some(cls, count: int) -> int:
        if count < 1:
            raise ValueError("order at least one")
        return count


def wrong(value: object) -> ValidationError:
    with pytest.raises(ValidationError) as failed:
        Order.model_validate(value)
    return failed.value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "count: Field required"),
        ({"count": 0}, "count: order at least one"),
        ({"count": "many"}, "count: Input should be a valid integer, unable to parse string as an integer"),
        ({"count": 1, "items": [1, None]}, "items.1: Input should be a valid integer"),
        ({"items": 3}, "count: Field required; items: Input should be a valid list"),
    ],
)
def test_each_problem_has_its_path(value: object, words: str) -> None:
    assert described(wrong(value)) == words


def test_the_whole_has_a_name() -> None:
    with pytest.raises(ValidationError) as failed:
        TypeAdapter(int).validate_python("x")
    [problem] = problems_of(failed.value)
    assert said(problem, "the answer").startswith("the answer: Input should")
    assert path_of(problem) == ""
    assert message_of(problem).startswith("Input should")


def test_many_problems_are_counted() -> None:
    assert described(wrong({"count": 1, "items": [None] * 8})).endswith("; and 3 more")
    assert listed([]) == ""
    assert listed(["a", "b"]) == "a; b"
