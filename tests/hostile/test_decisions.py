"""Decisions as strangers send them to one run: recorded values are valid, and a vote belongs to its voter."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue, ValidationError

from llmflow.errors import ApprovalError, DecisionRefused
from llmflow.flow.run.approvals import Approvals, Asked
from llmflow.types.approvals import ApprovalReport, Decide, Question, Receipt
from llmflow.types.base import changed
from llmflow.types.carried import Carried

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
YES: Mapping[str, JsonValue] = {"approval": "publish", "approved": True, "by": "ana"}

REFUSED: tuple[object, ...] = (
    {**YES, "approval": "#1"},
    {**YES, "approval": " #1"},
    {**YES, "approval": "#"},
    {**YES, "approval": ""},
    {**YES, "approval": " "},
    {**YES, "approval": "publish#1#1"},
    {**YES, "approval": "a/b"},
    {**YES, "approval": "publish#x"},
    {**YES, "approval": "publish#0"},
    {**YES, "approval": "x" * 201},
    {**YES, "approval": None},
    {**YES, "approval": ["publish"]},
    {**YES, "by": ""},
    {**YES, "by": " \t"},
    {**YES, "by": 7},
    {**YES, "by": "x" * 201},
    {**YES, "approved": "perhaps"},
    {**YES, "approved": None},
    {**YES, "comment": None},
    {**YES, "form": {"usd": 1}},
    {**YES, "vote": True},
    {},
    [],
    [YES],
    "publish",
    None,
    b"",
    b"{",
    b"\xff",
    b'{"approval": "\\ud800", "approved": true, "by": "ana"}',
    b'{"approval": "publish", "approved": true, "by": "ana", "form": NaN}',
    b'{"approval": "publish", "approved": true, "by": "ana", "form": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    b'{"approval": "publish", "approved": true, "by": "ana", "comment": "' + b"x" * 100_000 + b'"}',
)
"""Nothing of it counts, and nothing of it is kept but what was refused and why."""

EARLY: tuple[Mapping[str, JsonValue], ...] = (
    {**YES, "approval": "later"},
    {**YES, "approval": " later#1 "},
    {**YES, "approval": "later#2"},
    {**YES, "approval": "later #1"},
    {**YES, "approval": "x" * 200},
    {**YES, "approval": "x" * 198 + "#1"},
)
"""Answers to questions that have not been asked yet."""


UNRECORDED = Asked(address="approval publish#1", digest="", recorded=None)


def book(**question: object) -> Approvals:
    """Ask one question of ana and bo, both of whom have to agree."""
    asked = Question(name="publish", approvers=("ana", "bo"), quorum=2, asked_at=NOW)
    approvals = Approvals(lambda _: None, lambda *_: None)
    approvals.ask(changed(asked, **question), None, UNRECORDED)
    return approvals


def sent(what: object) -> bytes:
    return what if isinstance(what, bytes) else json.dumps(what).encode()


def read_again(approvals: Approvals) -> ApprovalReport:
    """Read what the query answers, and what the next run is handed, as the other side reads it."""
    carried = Carried.model_validate(approvals.for_next())
    after = Approvals(lambda _: None, lambda *_: None)
    after.restore(Carried.model_validate_json(carried.model_dump_json()))
    ApprovalReport.model_validate_json(after.current().model_dump_json())
    return ApprovalReport.model_validate_json(approvals.current().model_dump_json())


@pytest.mark.parametrize("what", REFUSED, ids=lambda what: str(what)[:60])
def test_what_is_no_decision_is_refused_and_leaves_the_run_readable(what: object) -> None:
    approvals = book()
    approvals.take(sent(what), NOW)
    report = read_again(approvals)
    assert len(report.refused) == 1
    assert not report.early
    assert not report.questions[0].votes


@pytest.mark.parametrize("what", EARLY, ids=lambda what: str(what)[:60])
def test_what_comes_early_is_kept_readable(what: object) -> None:
    approvals = book()
    approvals.take(sent(what), NOW)
    assert len(read_again(approvals).early) == 1


@pytest.mark.parametrize("approval", ["#1", "", "publish#1#1"])
def test_a_changed_decision_is_validated(approval: str) -> None:
    with pytest.raises(ValidationError):
        changed(Decide.model_validate(YES), approval=approval)


def said(approvals: Approvals, **decision: JsonValue) -> Receipt | None:
    """Send an update; `None` if it is refused."""
    what = Decide.model_validate({**YES, **decision})
    try:
        return approvals.decide(what, NOW)
    except ApprovalError:
        return None


@pytest.mark.parametrize(
    ("second", "counts"),
    [
        ({"by": "bo"}, True),  # another person may use the same id
        ({"by": "eve"}, False),  # who may not decide gets no receipt by the id of somebody who may
        ({"by": "ANA"}, True),  # the same person's same answer is one answer
        ({"approved": False}, False),  # another answer under the same id
        ({"comment": "no!"}, False),
        ({"by": "bo", "approved": False}, True),
    ],
)
def test_an_id_is_its_senders(second: dict[str, JsonValue], counts: bool) -> None:
    approvals = book()
    assert said(approvals, id="1")
    assert (said(approvals, **{"id": "1", **second}) is not None) == counts
    voters = [vote.by for vote in approvals.question("publish").votes]
    assert voters == (["ana", "bo"] if second.get("by") == "bo" else ["ana"])


def test_a_run_that_has_not_asked_again_promises_nothing() -> None:
    after = Approvals(lambda _: None, lambda *_: None)
    after.restore(Carried.model_validate(book().for_next()))
    receipt = said(after, form={"usd": "not what the form asks for"})
    assert receipt == Receipt(approval="publish", status="open", missing=None, sent=True)
    after.ask(Question(name="publish", approvers=("ana", "bo"), quorum=2, asked_at=NOW), None, UNRECORDED)
    assert "asks for no form" in after.current().refused[0].reason


def test_a_refused_decision_stays_refused() -> None:
    approvals = book()
    for _ in range(2):
        with pytest.raises(DecisionRefused, match="`eve` may not decide"):
            approvals.decide(Decide(approval="publish", approved=True, by="eve", id="7"), NOW)
