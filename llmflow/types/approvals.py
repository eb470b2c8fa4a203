"""Approvals: questions of runs to approvers, and their decisions."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, JsonValue, StringConstraints

from llmflow.types.addresses import base_of, is_name, number_of, numbered
from llmflow.types.attributes import SearchAttributes
from llmflow.types.base import CompactWire, Handwritten
from llmflow.types.forks import Fork
from llmflow.types.origins import Origin

__all__ = [
    "ApprovalReport",
    "ApprovalStatus",
    "Late",
    "Notification",
    "Question",
    "Receipt",
    "Refusal",
    "Vote",
    "Waiting",
]

ApprovalStatus = Literal["open", "approved", "rejected", "expired", "withdrawn"]
"""`withdrawn`: the run stopped waiting, because it was cancelled or another branch failed."""
Event = Literal["asked", "reminded", "escalated", "decided", "expired"]
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


def _named(address: str) -> str:
    if not is_name(base_of(address).strip()):
        raise ValueError("should be the name of a question, with the number of its round if it has one: `publish#2`")
    return address


_Address = Annotated[_Name, AfterValidator(_named)]


def round_of(name: str) -> int:
    """Return the round in a question's name: 1 for `publish`, 2 for `publish#2`."""
    return number_of(name) or 1


def person(name: str) -> str:
    """Normalize a person's name for comparison: `Ana`, ` ana` and `ana` are one person."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


class Decide(CompactWire, Handwritten):
    """An approver's decision: input of the update and the signal `llmflow.decide`, which any client may send as JSON.

    `{"approval": "publish", "approved": true, "by": "ana"}`
    """

    approval: _Address
    """Name of the question, such as `publish`, or of one of its rounds: `publish#2`."""
    approved: bool
    by: _Name
    """Name of the approver; case does not matter."""
    comment: str = ""
    form: JsonValue = None
    """The filled-in form, where the question has one."""
    id: str = ""
    """Idempotency key of its sender: sent twice, a decision counts once; another one with the same id is refused."""


class Vote(CompactWire):
    """A decision that counts."""

    approved: bool
    by: str
    comment: str = ""
    form: JsonValue = None
    at: datetime
    id: str = ""
    """`Decide.id`."""


class Question(CompactWire):
    """A question in the result of the query `llmflow.approvals`."""

    name: str
    """Name given by the workflow, with `#2`, `#3` for later rounds; `Decide.approval` refers to it."""
    payload: JsonValue = None
    """Subject of the decision, given by the workflow."""
    details: str = ""
    """Markdown for people."""
    form: dict[str, JsonValue] | None = None
    """JSON schema of the form that a decision must fill in."""
    approvers: tuple[str, ...] = ()
    """People who may decide; empty: anyone. An escalation adds to them and removes none."""
    quorum: int = 1
    """Number of different approvers needed. One rejection decides."""
    asked_at: datetime
    deadline: datetime | None = None
    level: int = 0
    """Number of escalations so far."""
    status: ApprovalStatus = "open"
    votes: tuple[Vote, ...] = ()

    @property
    def exact(self) -> str:
        """Name with the round, which a decision uses to match no other round: `publish#1` for `publish`."""
        return _exact(self.name)


def decisive(question: Question) -> Vote | None:
    """Return the vote that decided a question, always the last one; `None` if no vote did."""
    last = question.votes[-1] if question.votes else None
    return last if last and question.status == ("approved" if last.approved else "rejected") else None


def outcome(question: Question) -> str:
    """Say how a closed question ended: `approved by ana at 2026-11-21 12:00:00 UTC`."""
    if vote := decisive(question):
        return f"{question.status} by {vote.by} at {second(vote.at)}"
    if question.status == "withdrawn" or question.deadline is None:
        return question.status
    return f"{question.status}, because its deadline passed at {second(question.deadline)}"


def second(at: datetime) -> str:
    """Format a time for people, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def among(names: Iterable[str], who: str) -> str | None:
    """Find the spelling of a person's name in a list; `None` if it is absent."""
    return next((name for name in names if person(name) == person(who)), None)


def approver(approvers: Sequence[str], who: str) -> str | None:
    """Return the name under which a person may decide; `None` if they may not. Without approvers anyone may."""
    return among(approvers, who) if approvers else who


def next_voter(question: Question) -> str | None:
    """Return the first approver without a vote; `None` if anyone may vote or all have."""
    said = [vote.by for vote in question.votes]
    return next((one for one in question.approvers if among(said, one) is None), None)


class Refusal(CompactWire):
    """An invalid decision sent by signal. An invalid update is rejected to its sender instead, and not recorded."""

    reason: str
    at: datetime
    sent: JsonValue = None
    """The input of the signal, as far as it can be decoded."""


class Late(CompactWire):
    """A decision by signal that the run handled after the deadline. It counts if it was sent before."""

    decide: Decide
    run_id: str
    """Run whose history has the signal: after continue-as-new, an earlier one."""
    number: int
    """Its number among the decisions that were sent to this run by signal, from 1."""
    at: datetime
    """Time at which the run handled it."""


class ApprovalReport(CompactWire):
    """Questions of a run in the order in which they were asked, and refused decisions."""

    questions: tuple[Question, ...] = ()
    early: tuple[Decide, ...] = ()
    """Decisions that arrived before their question and are held for it."""
    refused: tuple[Refusal, ...] = ()
    """The latest refusals."""
    late: tuple[Late, ...] = ()
    """Decisions for which the run looks up when they were sent."""


class Receipt(CompactWire):
    """The effect of a decision."""

    approval: str
    """Name of the question, with its round."""
    status: ApprovalStatus
    missing: int | None = 0
    """Number of approvals still missing; `None` if the decision was only sent."""
    sent: bool = False
    """True if the run applies or refuses the decision later: it was sent by signal because no worker responded, or the
    run has continued as new and not asked again yet."""


class Waiting(CompactWire):
    """An open question in the memo of its run; short, because every list of runs carries it."""

    name: str
    asked_at: datetime
    deadline: datetime | None = None
    approvers: tuple[str, ...] = ()
    quorum: int = 1
    """Number of different approvers needed."""
    approved_by: tuple[str, ...] = ()
    title: str = ""
    """First line of the details, or the beginning of the payload."""

    @property
    def exact(self) -> str:
        """Name with the round, which a decision uses to match no other round: `publish#1` for `publish`."""
        return _exact(self.name)


class WaitingList(CompactWire):
    """Value of the memo `llmflow.approvals`."""

    open: tuple[Waiting, ...] = ()


class Settled(CompactWire):
    """A question that was decided or expired, in the memo of the event that closes it: forks take it over from there.

    A question has a place, but no request of its own in the history: the digest tells if a fork asks the same.
    """

    address: str
    """Place and number of the question, such as `claims[3]/approval pay#1`."""
    digest: str
    """Digest of everything that approvers were asked."""
    status: ApprovalStatus
    at: datetime
    """Time of the decision, or of the deadline."""
    votes: tuple[Vote, ...] = ()

    @property
    def is_decided(self) -> bool:
        """True if a vote decided it, and not its deadline."""
        return self.status == "approved" or any(not vote.approved for vote in self.votes)


class RecallRequest(CompactWire):
    """Input of the activity by which a fork looks for the recorded decision on a question; its id is the address."""

    digest: str
    fork: Fork


class Recalled(CompactWire):
    """The recorded decision; `None` if people have to be asked."""

    settled: Settled | None = None


class SentRequest(CompactWire):
    """Input of the activity that looks up when decisions were sent by signal."""

    run_id: str
    numbers: tuple[int, ...]
    """See `Late.number`."""


class Sent(CompactWire):
    """Times of decisions, from the events of their signals."""

    at: tuple[datetime, ...]
    """In the order of the request."""


class ReachRequest(CompactWire):
    """Input of the activity that a run calls once, before its first question."""

    origin: Origin = Origin()


class Reach(CompactWire):
    """Notification settings, fixed for the run: the activities it schedules must not depend on a worker's settings."""

    attributes: SearchAttributes = SearchAttributes()
    """Search attributes that the run upserts, unless resolving a prompt has set them before."""
    webhook: bool = False
    """True if workers have a webhook."""


class Notification(CompactWire):
    """Body of the webhook request about a question."""

    event: Event
    run: str
    """Workflow id."""
    workflow: str
    question: Question
    origin: Origin = Origin()
    command: str | None = None
    """Shell command that approves it; `None` if it is not open."""


class Delivered(CompactWire):
    """Response of the webhook."""

    status: int
    """HTTP status."""


def _exact(name: str) -> str:
    return numbered(base_of(name), round_of(name))
