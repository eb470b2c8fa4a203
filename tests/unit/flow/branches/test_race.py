"""A race: what is refused before it begins."""

from typing import Any

import pytest

from llmflow import flow
from llmflow.errors import InputInvalid
from llmflow.tools import tool


@tool
async def judge(answer: str) -> bool:
    """Return True for a good result."""
    return answer == "good"


async def ask() -> str:
    return "bad"


async def is_good(answer: str) -> bool:
    return answer == "good"


@pytest.mark.parametrize("good", [judge, is_good], ids=["tool", "async"])
async def test_who_cannot_say_at_once_whether_an_answer_is_good_is_refused(good: Any) -> None:  # Any: the mistake
    with pytest.raises(InputInvalid, match="is async, but `good` must be a plain function") as refused:
        await flow.race(ask, good=good)
    assert refused.value.detail.field == "good"
