"""Names of steps, and what a model is told when it is asked again."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from llmflow.flow.patterns import Flow, chain, evaluate, gate, guarded, vote
from llmflow.flow.patterns.steps import answered, name_of
from llmflow.tools import tool


class Draft(BaseModel):
    text: str


class Desk:
    async def write(self, text: str, number: int = 1) -> str:
        return text * number


@tool(name="search-web")
async def search(query: str) -> str:
    """Search."""
    return query


async def judge(task: str, draft: str) -> Any: ...  # Any: it is never asked


WRITE = Desk().write


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (WRITE, "write"),
        (search, "search-web"),
        (functools.partial(WRITE, number=2), "write"),
        (lambda text: text, "lambda"),
        (Flow[str](WRITE), "flow"),
        (chain(WRITE, WRITE), "chain"),
        (evaluate(WRITE, judge, until=1), "evaluate"),  # pyright: ignore[reportArgumentType]  for its name only
        (vote(WRITE), "vote"),
        (gate(lambda text: None), "gate"),
        (guarded(WRITE), "write"),
    ],
)
def test_a_step_is_called_by_its_own_name(step: Callable[..., Any], name: str) -> None:  # Any: steps of every type
    assert name_of(step) == name


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("hello", ["hello", "too short"]),
        (Draft(text="hello"), ['{"text":"hello"}', "too short"]),
        ([1, 2], ["[1,2]", "too short"]),
        ("", ["too short"]),
    ],
)
def test_a_model_is_told_its_answer_and_what_is_wrong_with_it(answer: object, said: list[str]) -> None:
    messages = answered(answer, "too short")
    assert [message.text for message in messages] == said
    assert [message.role for message in messages] == ["assistant", "user"][-len(said) :]
