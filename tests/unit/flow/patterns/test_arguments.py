"""Patterns that cannot work say so when they are made, not when they run."""

from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

import pytest

from llmflow.errors import InputInvalid
from llmflow.flow.patterns import Reject, evaluate, gate, guarded, route, vote
from llmflow.tools import tool

if TYPE_CHECKING:
    from decimal import Decimal


class Kind(Enum):
    REFUND = "refund"
    QUESTION = "question"


async def by_enum(text: str) -> Kind: ...
async def by_literal(text: str) -> Literal["refund", "question"]: ...
async def by_text(text: str) -> str: ...
async def by_hidden(text: str) -> "Decimal": ...
async def answer(text: str) -> str: ...
async def judge(text: str, answer: str) -> Any: ...  # Any: it is never asked


@tool
async def by_tool(text: str) -> Kind:
    """Classify."""
    return Kind(text)


@pytest.mark.parametrize(
    ("classify", "handlers", "says"),
    [
        (by_enum, {Kind.REFUND: answer}, "`by_enum` returns `question`, but `handlers` has `refund`: add a handler"),
        (by_literal, {"refund": answer}, "`by_literal` returns `question`, but `handlers` has `refund`"),
        (by_literal, {}, "`by_literal` returns `refund`, `question`, but `handlers` has nothing"),
        (
            by_literal,
            {"refund": answer, "question": answer, "refnud": answer},
            r"`by_literal` never returns `refnud` \(did you mean `refund`\?\): it returns `refund`, `question`",
        ),
        (by_tool, {Kind.REFUND: answer}, "`by_tool` returns `question`, but `handlers` has `refund`: add a handler"),
        (by_enum, {"refund": answer, "question": answer}, "`by_enum` never returns `refund`, `question`"),
    ],
)
def test_a_route_with_other_labels_than_its_classification_fails_at_once(
    classify: Any, handlers: Any, says: str
) -> None:  # Any: right and wrong ones
    with pytest.raises(InputInvalid, match=says) as error:
        route(classify, handlers)
    assert error.value.detail.field == "handlers"


@pytest.mark.parametrize(
    ("classify", "handlers"),
    [
        (by_enum, {Kind.REFUND: answer, Kind.QUESTION: answer}),
        (by_text, {"refund": answer}),
        (by_hidden, {1: answer}),
    ],
)
def test_a_route_is_checked_as_far_as_its_annotation_tells(classify: Any, handlers: Any) -> None:  # Any: as above
    assert route(classify, handlers)


def test_a_default_handles_what_has_no_handler() -> None:
    assert route(by_enum, {Kind.REFUND: answer}, default=answer)


@pytest.mark.parametrize(("n", "agree"), [(3, 0), (3, 4), (0, None)])
def test_a_vote_that_nobody_can_win_is_refused(n: int, agree: int | None) -> None:
    with pytest.raises(InputInvalid, match=rf"vote\(n={n}, agree={agree}\): give an `agree` from 1 to"):
        vote(answer, n=n, agree=agree)


def test_an_evaluation_needs_a_round() -> None:
    with pytest.raises(InputInvalid, match="max_rounds=0: give 1 or more"):
        evaluate(answer, judge, until=1, max_rounds=0)  # pyright: ignore[reportArgumentType]  never asked again


@tool
async def is_safe(text: str) -> Reject | None:
    """Check."""
    return Reject("unsafe") if "bomb" in text else None


def test_a_tool_is_no_guard_because_it_would_run_in_the_workflow() -> None:
    for make in (lambda: gate(is_safe), lambda: guarded(answer, after=[is_safe])):
        with pytest.raises(InputInvalid, match="tool `is_safe` is no guard: write an async function that calls it"):
            make()
