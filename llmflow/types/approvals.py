"""Approvals: questions of runs to people, and their decisions."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import JsonValue, StringConstraints

from llmflow.types.addresses import base_of, number_of, numbered
from llmflow.types.attributes import SearchAttributes
from llmflow.types.base import CompactWire, Handwritten
from llmflow.types.origins import Origin

__all__ = [
    "ApprovalReport",
    "ApprovalStatus",
    "Notification",
    "Question",
    "Receipt",
    "Refusal",
    "Vote",
    "Waiting",
]

ApprovalStatus = Literal["open", "approved", "rejected", "expired", "withdrawn"]
"""`withdrawn`: the workflow stopped asking, because it was cancelled or another branch failed."""
Event = Literal["asked", "reminded", "escalated", "decided", "expired"]
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


def round_of(name: str) -> int:
    """The round in the name of a question, from 1: later ones have a number."""
    return number_of(name) or 1


def person(name: str) -> str:
    """What people are told apart by: `Ana`, ` ana` and `ana` are one."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


class Decide(CompactWire, Handwritten):
    """One person's answer: the update and the signal `llmflow.decide`, written by anyone as JSON.

    `{"approval": "publish", "approved": true, "by": "ana"}`
    """

    approval: _Name
    """Name of the question, such as `publish`, or of one of its rounds: `publish#2`."""
    approved: bool
    by: _Name
    """Who says so. Case does not tell people apart."""
    comment: str = ""
    form: JsonValue = None
    """The filled-in form, where the question has one."""
    id: str = ""
    """Names the answer, for a sender that may send it twice: it counts once, whatever is asked meanwhile."""


class Vote(CompactWire):
    """An answer that counts."""

    approved: bool
    by: str
    comment: str = ""
    form: JsonValue = None
    at: datetime
    id: str = ""
    """As its sender named it."""


class Question(CompactWire):
    """A question as the query `llmflow.approvals` shows it."""

    name: str
    """The name that the workflow gave it, and `#2`, `#3` for its later rounds: what `Decide.approval` says."""
    payload: JsonValue = None
    """What is to be decided on, as the workflow gave it."""
    details: str = ""
    """Markdown for people."""
    form: dict[str, JsonValue] | None = None
    """JSON schema of what an answer has to fill in."""
    approvers: tuple[str, ...] = ()
    """Who may decide; empty: anyone. After an escalation those who were asked first may still decide."""
    quorum: int = 1
    """How many different people have to approve. One rejection decides."""
    asked_at: datetime
    deadline: datetime | None = None
    level: int = 0
    """How often it was escalated."""
    status: ApprovalStatus = "open"
    votes: tuple[Vote, ...] = ()

    @property
    def exact(self) -> str:
        """What a decision on this question says so that no other round takes it: `publish#1` for `publish`."""
        return _exact(self.name)


def among(names: Iterable[str], who: str) -> str | None:
    """The name by which these know a person; `None` if they do not."""
    return next((name for name in names if person(name) == person(who)), None)


def approver(approvers: Sequence[str], who: str) -> str | None:
    """The name under which somebody may decide a question; `None` if they may not. Without approvers anyone may."""
    return among(approvers, who) if approvers else who


def next_voter(question: Question) -> str | None:
    """The first approver who has not answered; `None` if anyone may, or all have."""
    said = [vote.by for vote in question.votes]
    return next((one for one in question.approvers if among(said, one) is None), None)


class Refusal(CompactWire):
    """A signal that did not count. An update that does not count is refused to its sender, and not kept."""

    reason: str
    at: datetime
    sent: JsonValue = None
    """What was sent, as far as it can be read."""


class ApprovalReport(CompactWire):
    """All questions of a run in the order in which they were asked, and what was refused."""

    questions: tuple[Question, ...] = ()
    early: tuple[Decide, ...] = ()
    """Decisions that came before their question, and wait for it."""
    refused: tuple[Refusal, ...] = ()
    """The newest ones."""


class Receipt(CompactWire):
    """What a decision did."""

    approval: str
    """The question with its round."""
    status: ApprovalStatus
    missing: int | None = 0
    """How many more people have to approve; `None` if it is only sent, and nobody knows yet."""
    sent: bool = False
    """Only sent, because no worker answers now: the run takes it, or refuses it, when it goes on."""


class Waiting(CompactWire):
    """An open question as the memo of its run has it: short, because every list of runs carries it."""

    name: str
    asked_at: datetime
    deadline: datetime | None = None
    approvers: tuple[str, ...] = ()
    quorum: int = 1
    """How many different people have to approve."""
    approved_by: tuple[str, ...] = ()
    title: str = ""
    """The first line of the details, or the beginning of the payload."""

    @property
    def exact(self) -> str:
        """What a decision on this question says so that no other round takes it: `publish#1` for `publish`."""
        return _exact(self.name)


class WaitingList(CompactWire):
    """The memo `llmflow.approvals`."""

    open: tuple[Waiting, ...] = ()


class ReachRequest(CompactWire):
    """Asked once per run, when it first asks people something."""

    origin: Origin = Origin()


class Reach(CompactWire):
    """How people are reached. Kept for the run, because what it schedules must not depend on a worker's settings."""

    attributes: SearchAttributes = SearchAttributes()
    """The search attributes that the run writes, if no prompt of the run has said so before."""
    webhook: bool = False
    """Whether anyone is notified."""


class Notification(CompactWire):
    """What the webhook of the workers is told of a question: the body of the request."""

    event: Event
    run: str
    """Workflow id."""
    workflow: str
    question: Question
    origin: Origin = Origin()
    command: str | None = None
    """The line that approves it on a command line; `None` if it is not open."""


class Delivered(CompactWire):
    """The webhook's answer."""

    status: int
    """HTTP status."""


def _exact(name: str) -> str:
    return numbered(base_of(name), round_of(name))
