"""Valid and invalid decisions: the rules of questions, without a server."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from llmflow.errors import ApprovalError, ApprovalNotFound, DecisionRefused, InputInvalid
from llmflow.flow.approvals.answers import Form, fields_of, form_of, read
from llmflow.flow.run.approvals import MAX_CARRIED, Approvals, Asked
from llmflow.flow.run.held import MAX_EARLY, MAX_REFUSED
from llmflow.flow.run.questions import MAX_TITLE, MAX_WAITING, waiting
from llmflow.types.approvals import ApprovalReport, Decide, Question, Receipt, Settled
from llmflow.types.carried import Carried

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Picky(BaseModel):
    amount: int

    @field_validator("amount")
    @classmethod
    def _breaks(cls, amount: int) -> int:
        return 100 // amount


class Text(BaseModel):
    text: str


class Chain(BaseModel):
    next: "Chain | None" = None


@dataclass
class Point:
    x: int


UNRECORDED = Asked(address="approval publish#1", digest="", recorded=None)


class Book:
    """The approvals of a run that has no Temporal."""

    def __init__(self, carried: ApprovalReport | None = None) -> None:
        self.changes = 0
        self.approvals = Approvals(self._changed, lambda *_: None)
        self.approvals.restore(Carried(approvals=carried or ApprovalReport()))

    def _changed(self, settled: Settled | None) -> None:
        self.changes += 1

    def carry(self) -> ApprovalReport:
        return Carried.model_validate(self.approvals.for_next()).approvals

    def ask(self, name: str = "publish", form: Form[Any] | None = None, **terms: Any) -> tuple[str, bool]:
        return self.approvals.ask(Question(name=name, asked_at=NOON, **terms), form, UNRECORDED)

    def say(self, approval: str = "publish", yes: bool = True, by: str = "ana", **more: Any) -> Receipt:
        return self.approvals.decide(Decide(approval=approval, approved=yes, by=by, **more), NOON)

    def take(self, name: str = "publish") -> None:
        """The workflow goes on with the decision."""
        self.approvals.close(name, "withdrawn")

    def hear(self, sent: object) -> None:
        self.approvals.take(json.dumps(sent).encode(), NOON)

    def refused(self, *said: Any, **more: Any) -> ApprovalError:
        with pytest.raises(ApprovalError) as error:
            self.say(*said, **more)
        return error.value


def test_a_name_gets_a_round_each_time_and_the_first_may_be_called_one() -> None:
    book = Book()
    assert [book.ask()[0] for _ in range(3)] == ["publish", "publish#2", "publish#3"]
    assert book.ask("other")[0] == "other"
    assert book.say("publish#1") == Receipt(approval="publish", status="approved")
    assert [question.name for question in book.approvals.open()] == ["publish#2", "publish#3", "other"]
    assert isinstance(book.refused("publish#4"), ApprovalNotFound)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("expired", "`publish` is expired, because its deadline passed at 2026-11-21 12:00:00 UTC"),
        ("rejected", "`publish` is rejected, because its deadline passed at 2026-11-21 12:00:00 UTC"),
        ("withdrawn", "`publish` is withdrawn"),
    ],
)
def test_what_is_closed_without_a_decision_says_why(status: Any, says: str) -> None:
    book = Book()
    book.ask(quorum=2, deadline=NOON)
    book.say(by="bo")
    book.approvals.close("publish", status)
    assert book.refused().message == f"{says}; to decide on its next round in advance, name `publish#2`"
    assert book.say(by="bo").status == status  # what counted then is no mistake now


def test_an_answer_after_the_last_deadline_does_not_count() -> None:
    book = Book()
    book.ask(deadline=NOON - timedelta(seconds=15))
    assert book.refused().message == (
        "`publish` could be decided until 2026-11-21 11:59:45 UTC: this decision came at 2026-11-21 12:00:00 UTC"
    )
    book.approvals.ask(Question(name="pay", asked_at=NOON, deadline=NOON - timedelta(days=1)), None, UNRECORDED, 1)
    assert book.say("pay").status == "approved", "the question goes on to the next level"


def test_a_vote_that_decides_is_shown_by_the_workflow_that_goes_on() -> None:
    book = Book()
    book.ask(quorum=2)
    before = book.changes
    book.say()
    assert book.changes == before + 1
    book.say(by="bo")
    assert book.changes == before + 1


def test_decisions_that_come_early_have_limits() -> None:
    book = Book()
    for n in range(MAX_EARLY + 5):
        book.hear({"approval": f"q{n}", "approved": True, "by": "ana"})
        book.hear({"approval": "q0#1", "approved": True, "by": "ana"})  # the same again
    found = book.approvals.current()
    assert len(found.early) == MAX_EARLY
    assert len(found.refused) == 5
    assert "send it once the question is open" in found.refused[0].reason
    for _ in range(MAX_REFUSED + 5):
        book.hear("no decision")
    assert [one.sent for one in book.approvals.current().refused] == ["no decision"] * MAX_REFUSED
    assert book.ask("q0")[0] == "q0"
    assert book.approvals.question("q0").status == "approved"


def test_a_report_leaves_out_the_payloads_that_it_has_no_room_for() -> None:
    book = Book()
    for n in range(4):
        book.ask(f"q{n}", payload="x" * 200_000)
    book.say("q3")
    shown = [len(str(question.payload)) for question in book.approvals.current().questions]
    assert shown == [42, 200_000, 200_000, 42]  # of the open ones the newest; then of the others
    assert book.approvals.current().questions[0].payload == "(200,060 bytes, too much to be shown here)"


def test_what_people_write_at_length_never_makes_a_run_silent_or_keeps_it_from_going_on() -> None:
    book = Book()
    for n in range(30):
        book.ask(f"q{n}", details="d" * 90_000, form=form_of(Text))
        book.say(f"q{n}", comment="c" * 10_000, form={"text": "x" * 80_000})
        book.take(f"q{n}")
        book.hear({"approval": f"early{n}", "approved": True, "by": "ana", "form": {"text": "x" * 80_000}})
        book.hear({"approval": f"q{n}", "approved": True, "by": "é" * 200, "form": {"text": "x" * 80_000}})
    limit = 1_500_000  # of one value, in Temporal
    assert len(book.approvals.current().model_dump_json()) < limit
    carried = book.carry()
    assert len(carried.model_dump_json()) < limit / 2
    assert len(carried.early) == 3
    assert len(carried.refused) == 50
    assert str(book.approvals.current().questions[0].votes[0].form).endswith("bytes, too much to be shown here)")
    told = book.approvals.told(book.ask("big", payload="x" * 600_000, details="# Ship?\n" + "d" * 90_000)[0])
    assert len(told.model_dump_json()) < 1_000
    assert told.details.startswith("# Ship?")


def test_spelling_does_not_make_two_people_of_one() -> None:
    book = Book()
    book.ask(quorum=2)
    book.say(by="ana")
    assert book.say(by=" Ana ").missing == 1  # the same answer again
    assert "ANA has approved `publish` already" in book.refused(by="ANA", comment="and again").message
    book.ask("pay", approvers=("José",))
    assert book.say("pay", by="jose\u0301").status == "approved"  # as a Mac writes it
    assert book.approvals.question("pay").votes[0].by == "José"


def test_an_answer_with_an_id_counts_once_whatever_is_asked_meanwhile() -> None:
    book = Book()
    book.ask()
    assert book.say(yes=False, id="a").status == "rejected"
    book.ask()
    assert book.say(yes=False, id="a") == Receipt(approval="publish", status="rejected")
    assert book.approvals.question("publish#2").status == "open"
    assert book.say(yes=False, id="b").approval == "publish#2"


def test_a_decision_that_the_workflow_has_not_taken_is_carried_as_one_to_take() -> None:
    before = Book()
    before.ask(payload="draft")
    assert before.say().status == "approved"
    after = Book(before.carry())
    assert [question.name for question in after.approvals.open()] == ["publish"]
    assert after.ask(payload="draft") == ("publish", False)
    assert after.approvals.question("publish").status == "approved"


def test_what_is_carried_is_taken_over() -> None:
    before = Book()
    before.ask(payload="old")
    before.say()
    before.take()
    before.ask(payload="new", quorum=2, approvers=("ana", "bo"), deadline=NOON + timedelta(days=1), details="Ship?")
    before.approvals.escalate("publish#2", ["cy"], NOON + timedelta(days=2))
    before.say("publish#2")
    before.ask("other", form=form_of(Picky))
    for n in range(MAX_CARRIED + 10):
        before.ask(f"q{n}")
        before.say(f"q{n}")
        before.take(f"q{n}")
    carried = before.carry()
    assert len(carried.questions) == MAX_CARRIED + 2

    after = Book(ApprovalReport.model_validate_json(carried.model_dump_json()))
    assert after.say("publish#2", by="bo").status == "open"  # the workflow goes on when it asks again
    assert after.say("other", form={"amount": 0}).status == "open"
    asked = after.ask(payload="new", quorum=2, approvers=("ana", "bo"), deadline=NOON + timedelta(days=9))
    assert asked == ("publish#2", False)
    question = after.approvals.question("publish#2")
    assert question.approvers == ("ana", "bo", "cy")
    assert (question.level, question.deadline) == (1, NOON + timedelta(days=2))
    assert (question.status, [vote.by for vote in question.votes]) == ("approved", ["ana", "bo"])
    assert after.ask("other", form=form_of(Picky)) == ("other", False)
    assert after.approvals.question("other").votes == ()
    assert "the form cannot be validated: ZeroDivisionError" in after.approvals.current().refused[0].reason
    assert after.ask() == ("publish#3", True)


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"", "a decision is one JSON object, but this has none or several"),
        (b"{", "invalid decision: not JSON"),
        (b'{"approval": "a", "approved": true, "by": " "}', "by: String should have at least 1 character"),
        (b'{"approval": "a", "approved": true, "by": "\\ud800"}', "invalid decision: not JSON"),
        (b"null", "a decision is one JSON object"),
        (b'"{}"', "a decision is one JSON object"),
        (b'{"approval": "a", "approved": true, "by": "ana", "aproved": true}', "(did you mean `approved`?)"),
        (b'{"approval": "a", "approved": "perhaps", "by": "ana"}', "approved: Input should be a valid boolean"),
        (b'{"approval": 3, "approved": true, "by": "ana"}', "approval: Input should be a valid string"),
        (b'"' + b"x" * 300_000 + b'"', "a decision of 300,002 bytes: at most 100,000"),
    ],
)
def test_what_is_no_decision_is_refused_with_the_reason(sent: bytes, says: str) -> None:
    with pytest.raises(DecisionRefused) as refused:
        read(sent)
    assert says in refused.value.message


def test_a_form_is_anything_with_fields() -> None:
    assert form_of(Point).read({"x": 1}) == Point(x=1)
    schema = form_of(Chain).json_schema
    assert fields_of(Question(name="a", asked_at=NOON, form=schema)) == ("next",)
    for kind in (int, list[Point], object):
        with pytest.raises(InputInvalid):
            form_of(kind)


def test_the_memo_is_short() -> None:
    book = Book()
    for n in range(MAX_WAITING + 1):
        book.ask(f"q{n}", payload=["x" * 500], details="" if n else "## A title\nand more")
    shown = waiting(book.approvals.open()).open
    assert len(shown) == MAX_WAITING
    assert shown[0].title == "A title"
    assert shown[1].title == '["' + "x" * (MAX_TITLE - 3) + "…"


@pytest.mark.parametrize("sent", [{"approval": "refund", "yes": True}, {"approval": "refund", "approved": True}])
def test_an_answer_that_cannot_be_read_is_shown_a_good_one_to_the_same_question(sent: object) -> None:
    with pytest.raises(DecisionRefused) as refused:
        read(json.dumps(sent).encode())
    assert '{"approval": "refund", "approved": true, "by": "ana"}' in refused.value.message
