"""Approvals: questions of a run, and their decisions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from temporalio import workflow
from temporalio.common import RawValue

from llmflow.errors import ApprovalError, ApprovalNotFound, DecisionRefused, did_you_mean
from llmflow.flow.approvals.abridged import that_fit
from llmflow.flow.approvals.answers import (
    Form,
    closed,
    late,
    read,
    receipt,
    require_fit,
    said_before,
    status_of,
)
from llmflow.flow.misfits import block
from llmflow.flow.run.held import HeldDecisions, full_name
from llmflow.flow.run.part import Part
from llmflow.flow.run.questions import MAX_WAITING, on_page
from llmflow.types.addresses import base_of, number_of, repeated
from llmflow.types.approvals import (
    ApprovalReport,
    ApprovalStatus,
    Decide,
    Late,
    Question,
    Reach,
    Receipt,
    Settled,
    Vote,
    approver,
    decisive,
    person,
    round_of,
)
from llmflow.types.base import changed
from llmflow.types.carried import Carried
from llmflow.types.contracts import APPROVALS, DECIDE
from llmflow.types.texts import markdown

AnyForm = Form[Any]  # Any: forms of every type

MAX_SHOWN_BYTES = 500_000
"""Bytes of all questions in one report, and of one question in a notification."""
MAX_SETTLED = 4_000
"""Bytes of a closed question in the memo. Forks ask a larger one again: Temporal returns memos with every list."""
MAX_CARRIED = 200
"""Decided questions to carry over continue-as-new, the latest ones."""
MAX_CARRIED_BYTES = 100_000
"""Bytes of all carried questions, in the header of the new run."""


@dataclass(frozen=True)
class Asked:
    """Place, digest and recorded decision of a question."""

    address: str
    digest: str
    recorded: Settled | None
    """Its decision in the run that this one forks."""


class Approvals(Part):
    """Questions and decisions of one run.

    Handlers never block. Temporal allows 10 in-flight updates per run, so blocked voters would starve the deciding
    vote. The workflow waits.
    """

    def __init__(self, changed: Callable[[Settled | None], None], tell: Callable[[Question, str], None]) -> None:
        """Start without questions.

        Args:
            changed: Called after each change of the questions, with the one that was settled by it.
            tell: Called with each question and its address when it is asked, and when it is closed.
        """
        self._tell = tell
        self.reach: Reach | None = None
        """Notification settings; `None` before the first question."""
        self._changed = changed
        self._questions: dict[str, Question] = {}
        self._forms: dict[str, AnyForm] = {}
        self._resumed: list[str] = []
        """Restored open questions that this run has not asked again yet."""
        self._asked: dict[str, Asked] = {}
        self._waited_for: set[str] = set()
        """Questions whose decision workflow code has not received yet."""
        self._levels: dict[str, int] = {}
        """Levels to which each question can escalate: before the last one, no deadline ends it."""
        self._ending: set[str] = set()
        """Questions whose time is up: what comes now is too late, and what came before is judged."""
        self._held = HeldDecisions()

    def answer(self) -> None:
        """See base class."""
        workflow.set_query_handler(APPROVALS.name, self.current)
        workflow.set_update_handler(DECIDE.name, self.update, validator=self.check)
        workflow.set_signal_handler(DECIDE.name, self.hear)

    def page(self) -> Iterator[str]:
        """See base class."""
        for question in self.open()[:MAX_WAITING]:
            yield from on_page(question)
        for one in self._held.late:
            by, name = markdown(one.decide.by), markdown(one.decide.approval)
            yield f"- the decision of {by} on {name} came after the deadline: the history tells if it was sent before"

    def check(self, sent: RawValue) -> None:
        """Refuse an update before it enters history.

        Raises:
            ApprovalNotFound: no such question is open, and the run is not one that was reset.
            DecisionRefused: the decision is invalid; the message says why.
        """
        decide, info = read(sent.payload.data), workflow.info()
        if self._addressed(decide) is None and info.run_id != info.original_execution_run_id:
            return  # a reset sends updates again at once, also before the run has asked
        self._judged(decide, workflow.now())

    async def update(self, sent: RawValue) -> Receipt:
        """Apply a checked update."""
        decide = read(sent.payload.data)
        if self._addressed(decide) is None:
            self._held.keep(decide)
            return Receipt(approval=decide.approval, status="open", missing=None, sent=True)
        try:
            return self.decide(decide, workflow.now())
        except DecisionRefused as error:
            if error.detail.field != "form":
                raise
            await block(f"approval {decide.approval}", error.message)  # it fitted when it entered history

    def hear(self, sent: RawValue) -> None:
        """Apply a signal."""
        self._held.heard += 1
        self.take(sent.payload.data, workflow.now())

    def take(self, sent: bytes, at: datetime) -> None:
        """Apply a decision sent by signal. An invalid one is recorded with its reason and never fails the run."""
        try:
            decide = read(sent)
            question = self._addressed(decide)
            if question is None:
                self._held.keep(decide)
            elif self._may_be_late(question, at):
                self._held.hold(changed(decide, approval=question.exact), at)
            else:
                self.decide(decide, at)
        except ApprovalError as error:
            self._held.refuse(error, sent, at)

    def decide(self, decide: Decide, at: datetime) -> Receipt:
        """Apply a decision.

        Raises:
            ApprovalNotFound: no such question is open.
            DecisionRefused: the decision is invalid; the message says why.
        """
        question = self._count(self._judged(decide, at), decide, at)
        if question.name in self._resumed:  # judged as a whole when the workflow asks again: it may still be refused
            return Receipt(approval=question.name, status="open", missing=None, sent=True)
        return receipt(question)

    def ask(self, question: Question, form: AnyForm | None, asked: Asked, levels: int = 0) -> tuple[str, bool]:
        """Open a question; return its name with the round, and False if the earlier run had asked it already.

        One that a fork takes over is decided or expired from its beginning, whatever else was said early.

        Args:
            question: The question, under the name of all its rounds.
            form: Its form.
            asked: Its place, and its decision in the run that this one forks.
            levels: Levels to which it can escalate.
        """
        name = next((one for one in self._resumed if base_of(one) == question.name), None)
        is_new = name is None
        if name is None:
            rounds = self._rounds(question.name)
            name = repeated(question.name, max(rounds, default=0) + 1)
            said = [(decide, question.asked_at) for decide in self._held.taken(name)]
        else:
            before = self._questions[name]
            self._resumed.remove(name)
            said = [(Decide(approval=name, **_said(vote)), vote.at) for vote in before.votes]
            question = _again(question, before)
        if asked.recorded:
            question = changed(question, status=asked.recorded.status, votes=asked.recorded.votes)
        self._questions[name] = changed(question, name=name)
        self._asked[name] = asked
        self._levels[name] = levels
        self._waited_for.add(name)
        if is_new:
            self._tell(self._questions[name], asked.address)
        if form:
            self._forms[name] = form
        for decide, at in said:
            try:
                self._count(self._fitting(self._questions[name], decide, at), decide, at)
            except DecisionRefused as error:
                self._held.refuse(error, to_json(decide), at)
        self._changed(None)
        return name, is_new

    def question(self, name: str) -> Question:
        """Return the current state of a question."""
        return self._questions[name]

    def told(self, name: str) -> Question:
        """Return a question for a notification, abridged if it is too large."""
        return that_fit([self._questions[name]], MAX_SHOWN_BYTES)[0]

    def escalate(self, name: str, to: Sequence[str], deadline: datetime) -> None:
        """Add approvers and set a new deadline; the first approvers may still decide."""
        question = self._questions[name]
        approvers = tuple(dict.fromkeys((*question.approvers, *to)))
        changes = {"approvers": approvers, "deadline": deadline, "level": question.level + 1}
        self._questions[name] = changed(question, **changes)
        self._changed(None)

    def late(self, name: str, *, ends: bool) -> tuple[Late, ...]:
        """Return the decisions on a question that were handled after its deadline; `ends`: from now on, refuse more."""
        if ends:
            self._ending.add(name)
        return self._held.late_on(self._questions[name].exact)

    def judge(self, one: Late, sent: datetime) -> None:
        """Apply a decision that was handled after the deadline, by the time when it was sent."""
        self._held.late.remove(one)
        try:
            self.decide(one.decide, sent)
        except ApprovalError as error:
            self._held.refuse(error, to_json(one.decide), sent)

    def close(self, name: str, status: ApprovalStatus) -> None:
        """Close a question, with `status` if it has no decision."""
        if self._questions[name].status == "open":
            self._questions[name] = changed(self._questions[name], status=status)
        for one in self.late(name, ends=True):  # of a withdrawn question: refused
            self.judge(one, one.at)
        self._forms.pop(name, None)
        self._waited_for.discard(name)
        if name in self._asked:
            self._tell(self._questions[name], self._asked[name].address)
        self._changed(self._settled(self._questions[name]))

    def withdraw(self) -> None:
        """Withdraw all open questions, because the run closes."""
        for question in self.open():
            self.close(question.name, "withdrawn")

    def open(self) -> tuple[Question, ...]:
        """Return the open questions, in the order in which they were asked."""
        return tuple(question for question in self._questions.values() if question.status == "open")

    def current(self) -> ApprovalReport:
        """Return all questions so far, abridged if they are too large together, the open ones last."""
        shown = that_fit(self._questions.values(), MAX_SHOWN_BYTES)
        return self._held.report(shown)

    def for_next(self) -> Mapping[str, object]:
        """See base class. Open questions are asked again, with their payload, by the new run."""
        latest = {base_of(name): name for name in self._questions}  # a later round replaces an earlier one
        # A decision that workflow code has not received yet must not be lost: the new run asks again and receives it.
        not_taken = {one.name for one in self.open()} | self._waited_for
        decided = [self._questions[name] for name in latest.values() if name not in not_taken]
        known = [changed(one, payload=None, details="", form=None) for one in decided]
        reopened = [changed(one, status="open") for name, one in self._questions.items() if name in not_taken]
        questions = that_fit((*known[-MAX_CARRIED:], *reopened), MAX_CARRIED_BYTES)
        return {"approvals": self._held.report(questions), "reach": self.reach}

    def restore(self, carried: Carried) -> None:
        """See base class. A decision can arrive before workflow code runs."""
        before = carried.approvals
        self._questions = {question.name: question for question in before.questions}
        self._resumed = [question.name for question in self.open()]
        self._held.restore(before)
        self.reach = carried.reach

    def reached(self, reach: Reach) -> None:
        """Keep the notification settings for the life of the run."""
        self.reach = reach

    def _settled(self, question: Question) -> Settled | None:
        """Return the record of a closed question, the first time; `None` if there is none to take over."""
        asked = self._asked.pop(question.name, None)
        if asked is None or question.status == "withdrawn":
            return None
        vote = decisive(question)
        at = asked.recorded.at if asked.recorded else vote.at if vote else question.deadline or question.asked_at
        settled = Settled(
            address=asked.address, digest=asked.digest, status=question.status, at=at, votes=question.votes
        )
        return settled if len(to_json(settled)) <= MAX_SETTLED else None

    def _rounds(self, base: str) -> list[int]:
        return [round_of(name) for name in self._questions if base_of(name) == base]

    def _addressed(self, decide: Decide) -> Question | None:
        """Find the question of a decision; `None` if it was never asked.

        Raises:
            ApprovalNotFound: several rounds are open, and the decision does not name one.
        """
        address = decide.approval
        if heard := next((one for one in self._questions.values() if _has(one, decide)), None):
            return heard
        if number_of(address):
            return self._questions.get(full_name(address))
        rounds = [question for question in self._questions.values() if base_of(question.name) == address]
        is_open = [question for question in rounds if question.status == "open"]
        if len(is_open) > 1:
            names = ", ".join(f"`{question.exact}`" for question in is_open)
            raise ApprovalNotFound(f"`{address}` has {len(is_open)} open rounds: name one of {names}")
        return is_open[0] if is_open else max(rounds, key=lambda one: round_of(one.name), default=None)

    def _judged(self, decide: Decide, at: datetime) -> Question:
        """Find the question of a decision and check that the decision is valid."""
        question = self._addressed(decide)
        if question is None:
            names = [one.name for one in self.open()]
            known = f"; open: {', '.join(f'`{name}`' for name in names)}" if names else "; none is open"
            raise ApprovalNotFound(
                f"no approval `{decide.approval}` is open{did_you_mean(decide.approval, names)}{known}"
            )
        return self._fitting(question, decide, at)

    def _fitting(self, question: Question, decide: Decide, at: datetime) -> Question:
        if said_before(question, decide):
            return question
        if question.status != "open":
            raise closed(question, self._rounds(base_of(question.name)))
        if question.deadline and at > question.deadline and self._ends_by_deadline(question):
            raise late(question, question.deadline, at)
        if question.name in self._resumed:  # its form is known, and checked, when the workflow asks again
            decide = changed(decide, form=None)
        require_fit(question, decide, self._forms.get(question.name))
        return question

    def _ends_by_deadline(self, question: Question) -> bool:
        return question.name not in self._resumed and question.level >= self._levels.get(question.name, 0)

    def _may_be_late(self, question: Question, at: datetime) -> bool:
        """Return True for a decision that was sent before the deadline or after it, which its event tells."""
        if question.status != "open" or question.deadline is None or at <= question.deadline:
            return False
        return question.name in self._resumed or (
            self._ends_by_deadline(question) and question.name not in self._ending
        )

    def _count(self, question: Question, decide: Decide, at: datetime) -> Question:
        if said_before(question, decide):
            return question
        decide = changed(decide, by=approver(question.approvers, decide.by) or decide.by)
        vote = Vote(at=at, **_said(decide))
        question = changed(question, votes=(*question.votes, vote))
        if question.name not in self._resumed:
            question = changed(question, status=status_of(question))
        self._questions[question.name] = question
        if question.status == "open":  # otherwise the workflow continues and shows the change itself
            self._changed(None)
        return question


def _said(answer: Decide | Vote) -> dict[str, Any]:  # Any: values of several fields
    return answer.model_dump(include={"approved", "by", "comment", "form", "id"})


def _has(question: Question, decide: Decide) -> bool:
    """An id is its sender's: another person's answer may have the same."""
    return bool(decide.id) and any(
        vote.id == decide.id and person(vote.by) == person(decide.by) for vote in question.votes
    )


def _again(question: Question, before: Question) -> Question:
    """Merge a restored question into the one that the new run asks: votes, level and deadline stay."""
    approvers = tuple(dict.fromkeys((*question.approvers, *before.approvers))) if question.approvers else ()
    deadline = question.deadline and (before.deadline or question.deadline)
    kept = {"asked_at": before.asked_at, "level": before.level, "deadline": deadline, "approvers": approvers}
    return changed(question, **kept)
