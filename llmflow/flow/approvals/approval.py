"""Approvals: the run asks approvers and waits for their decision."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, Self, cast

from pydantic import JsonValue
from pydantic_core import PydanticSerializationError, from_json, to_json
from temporalio import workflow
from typing_extensions import TypeVar

from llmflow.errors import ApprovalExpired, ApprovalRejected
from llmflow.flow.approvals.answers import Form, form_of
from llmflow.flow.approvals.late import judge_late
from llmflow.flow.approvals.notices import Notices, reach
from llmflow.flow.approvals.recorded import asked
from llmflow.flow.arguments import invalid, length, one_of
from llmflow.flow.run import CurrentRun, current
from llmflow.types.addresses import is_name
from llmflow.types.approvals import Question, Settled, Vote, decisive, person
from llmflow.types.base import unwritable
from llmflow.types.lengths import length_of

F = TypeVar("F", default=None)

OnTimeout = Literal["raise", "reject", "escalate"]

MAX_NAME = 100
"""Characters of a question's name: with its round it fits into a search attribute."""


@dataclass(frozen=True, kw_only=True)
class Decision(Generic[F]):
    """The decision on a question."""

    approval: str
    """Name of the question, with its round, such as `publish#2`."""
    approved: bool
    by: str
    """Approver with the deciding vote; `timeout` if there was none."""
    comment: str
    form: F | None
    """The filled-in form, if the question has one and was approved."""
    at: datetime
    votes: tuple[Vote, ...]
    """All votes, the deciding one last."""

    def require(self) -> Self:
        """Return the decision if it is an approval.

        Raises:
            ApprovalRejected: the question was rejected; the message has the approver and their comment.
        """
        if not self.approved:
            raise ApprovalRejected(rejection(self))
        return self


def rejection(decision: Decision[Any]) -> str:  # Any: with forms of every type
    """Format a rejection: approver, question and comment."""
    return f"{decision.by} rejected `{decision.approval}`" + (f": {decision.comment}" if decision.comment else "")


async def approval(
    name: str,
    payload: object = None,
    *,
    form: type[F] | None = None,
    timeout: timedelta | None = None,
    on_timeout: OnTimeout = "raise",
    approvers: Sequence[str] | None = None,
    quorum: int = 1,
    remind_every: timedelta | None = None,
    escalate: Sequence[str | Sequence[str]] = (),
    details: str = "",
) -> Decision[F]:
    """Ask for approval and wait: `decision = await flow.approval("publish", draft, timeout=timedelta(days=3))`.

    Approvers decide with `llmflow approvals`, or with the update or signal `llmflow.decide` from any Temporal client.
    The second use of a name in a run is a new round, `publish#2`. Several questions may be open at once.

    Args:
        name: Short and readable, at most 100 characters, without `/` and `#`.
        payload: Subject of the decision: any value that pydantic can write as JSON.
        form: A pydantic model or dataclass that an approver must fill in to approve.
        timeout: Time until the deadline, and again after each escalation. No deadline by default.
        on_timeout: At the deadline, raise `ApprovalExpired`, return a rejection, or ask more people (`escalate`).
        approvers: Names of the people who may decide, as in `by` of a decision. Anyone by default, not if empty.
        quorum: Number of different approvers needed, also after an escalation. One rejection decides.
        remind_every: Interval of reminders to the webhook while the question is open.
        escalate: More approvers, one level for each missed deadline: a name or several.
        details: Markdown for people; its first line is the title of the question.

    Raises:
        ApprovalExpired: the deadline passed without a decision.
        InputInvalid: an argument is invalid; the message names it.
    """
    people, levels = _people(approvers), _levels(escalate)
    _check_name(name)
    _check_people(people, quorum, levels)
    _check_time(timeout, on_timeout, remind_every, levels)
    expected = form_of(form) if form else None
    await reach(run := current())
    now = workflow.now()
    question = Question(
        name=name,
        payload=payload_of(payload),
        details=details,
        form=expected.json_schema if expected else None,
        approvers=people,
        quorum=quorum,
        asked_at=now,
        deadline=now + timeout if timeout else None,
    )
    known = await asked(run, _writable(question))
    name, is_new = run.approvals.ask(question, expected, known, len(levels))
    waiting = _Waiting(run, name, Notices(run, name), timeout, on_timeout, remind_every, levels)
    try:
        return await waiting.decision(expected, is_new, known.recorded)
    except (Exception, asyncio.CancelledError):  # not the BaseException that Temporal throws into an evicted run
        waiting.notices.stop()
        run.approvals.close(name, "withdrawn")
        raise


@dataclass(frozen=True)
class _Waiting:
    """Waits for the decision on one question."""

    run: CurrentRun
    name: str
    notices: Notices
    timeout: timedelta | None
    on_timeout: OnTimeout
    remind_every: timedelta | None
    levels: tuple[tuple[str, ...], ...]

    async def decision(self, form: Form[F] | None, is_new: bool, recorded: Settled | None) -> Decision[F]:
        if recorded and not recorded.is_decided:
            return self._time_is_up(recorded.at)
        asked = self._question()
        if asked.status == "open":
            if is_new:
                self.notices.send("asked")
            in_time = await self._wait(asked.deadline - workflow.now() if asked.deadline else None)
            self.notices.stop()
            if not in_time:
                return self._time_is_up(None)
            self.notices.send("decided")
        self.run.approvals.close(self.name, "withdrawn")
        question = self._question()
        vote = cast(Vote, decisive(question))
        return Decision(
            approval=self.name,
            approved=vote.approved,
            by=vote.by,
            comment=vote.comment,
            form=form.read(vote.form) if form and vote.form is not None else None,
            at=vote.at,
            votes=question.votes,
        )

    async def _wait(self, left: timedelta | None) -> bool:
        """Wait for a decision, with escalations; return False if there is none at the last deadline."""
        while not await self._decided_within(left):
            level = self._question().level
            ends = self.on_timeout != "escalate" or level >= len(self.levels) or self.timeout is None
            await judge_late(self.run, self.name, ends=ends)
            if not self._is_open():
                return True
            if ends or self.timeout is None:
                return False
            self.run.approvals.escalate(self.name, self.levels[level], workflow.now() + self.timeout)
            self.notices.send("escalated")
            left = self.timeout
        return True

    async def _decided_within(self, left: timedelta | None) -> bool:
        """Wait until the deadline, with reminders; return False if there is no decision.

        The time left is counted down instead of read from the clock, so that tests can shorten timers.
        """
        remind = self.remind_every if self.notices.reach_people else None
        while self._is_open():
            if left is not None and left <= timedelta(0):
                return False
            reminds = remind is not None and (left is None or remind < left)
            pause = remind if reminds else left
            what = "reminder" if reminds else "deadline"
            try:
                await workflow.wait_condition(
                    lambda: not self._is_open(), timeout=pause, timeout_summary=f"approval {self.name}: {what}"
                )
            except TimeoutError:
                if reminds and self._is_open():  # a decision in the same activation as the timer counts
                    self.notices.send("reminded")
                if left is not None and pause is not None:
                    left -= pause
        return True

    def _time_is_up(self, recorded: datetime | None) -> Decision[Any]:  # Any: without a form
        """End the question at its deadline: now, or when it was recorded in the run that this one forks."""
        length = length_of(self.timeout or timedelta())
        comment = f"no decision within {length}{', at each level' if self.levels else ''}"
        question = self._question()
        if self.on_timeout != "reject":
            self.run.approvals.close(self.name, "expired")
            if recorded is None:
                self.notices.send("expired")
            who = f" of {', '.join(question.approvers)}" if question.approvers else ""
            approved = sum(vote.approved for vote in question.votes)
            raise ApprovalExpired(f"`{self.name}`: {comment}; {approved} of {question.quorum} needed{who} approved")
        self.run.approvals.close(self.name, "rejected")
        if recorded is None:
            self.notices.send("decided")
        at, votes = recorded or question.deadline or workflow.now(), question.votes
        return Decision(
            approval=self.name, approved=False, by="timeout", comment=comment, form=None, at=at, votes=votes
        )

    def _question(self) -> Question:
        return self.run.approvals.question(self.name)

    def _is_open(self) -> bool:
        return self._question().status == "open"


def _check_name(name: str) -> None:
    fits = name == name.strip() and name.isprintable() and 0 < len(name) <= MAX_NAME
    if not fits or not is_name(name):
        raise invalid(
            "name", f"approval name {name[:MAX_NAME]!r}: use 1 to {MAX_NAME} readable characters without `/` and `#`"
        )


def _people(approvers: Sequence[str] | None) -> tuple[str, ...]:
    """Read the approvers; none for anyone, which a list that happens to be empty must never mean."""
    if approvers is None:
        return ()
    _check_list("approvers", approvers)
    if not (people := tuple(dict.fromkeys(approvers))):
        raise invalid("approvers", "approvers is empty: name the people who may decide, or leave it out for anyone")
    return people


def _levels(escalate: Sequence[str | Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    _check_list("escalate", escalate)
    return tuple((level,) if isinstance(level, str) else tuple(level) for level in escalate)


def _check_list(field: str, names: object) -> None:
    if isinstance(names, str):  # also a sequence, of letters
        raise invalid(field, f"{field}={names!r}: give a list of names, [{names!r}]")


def _check_people(approvers: Sequence[str], quorum: int, levels: Sequence[Sequence[str]]) -> None:
    if not all(map(_is_name, (*approvers, *(name for level in levels for name in level)))) or not all(levels):
        raise invalid("approvers", "`approvers` and `escalate` are names, but one is empty or not a text: give a name")
    people = len(set(map(person, approvers)))
    if quorum < 1 or (approvers and quorum > people):
        raise invalid("quorum", f"quorum={quorum}: give 1 or more" + (f", and at most {people}" if approvers else ""))
    if levels and not approvers:
        raise invalid(
            "escalate", "escalate= adds approvers, but without approvers= anyone may decide: name the first ones there"
        )


def _is_name(given: object) -> bool:
    return isinstance(given, str) and bool(person(given))


def _check_time(
    timeout: timedelta | None, on_timeout: OnTimeout, remind_every: timedelta | None, levels: Sequence[Sequence[str]]
) -> None:
    for field, span in (("timeout", timeout), ("remind_every", remind_every)):
        length(field, span)
    one_of("on_timeout", on_timeout, OnTimeout)
    if on_timeout != "raise" and timeout is None:
        raise invalid("timeout", f"on_timeout={on_timeout!r} needs a deadline: give timeout=")
    if (on_timeout == "escalate") != bool(levels):
        raise invalid("escalate", "on_timeout='escalate' and escalate= belong together: give both, or none")


def payload_of(payload: object) -> JsonValue:
    """Convert a question's payload to JSON.

    Raises:
        InputInvalid: the payload cannot be written as JSON.
    """
    try:
        return cast(JsonValue, from_json(to_json(payload, inf_nan_mode="null")))
    except (ValueError, PydanticSerializationError) as error:
        raise invalid("payload", f"the payload cannot be written as JSON: {unwritable(error)}") from None


def _writable(question: Question) -> Question:
    """Refuse a question that cannot be written as JSON: the run's query would fail for all questions."""
    try:
        question.model_dump_json()
    except ValueError as error:
        raise invalid("details", f"approval {question.name!r}: its texts cannot be written as JSON: {error}") from None
    return question
