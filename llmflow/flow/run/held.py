"""Decisions that a run holds: for questions to come, for the history to tell their times, and refused ones."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue
from pydantic_core import from_json, to_json
from temporalio import workflow

from llmflow.errors import ApprovalError, DecisionRefused
from llmflow.types.addresses import base_of, repeated
from llmflow.types.approvals import ApprovalReport, Decide, Late, Question, Refusal, round_of
from llmflow.types.base import changed

MAX_EARLY = 100
"""Early decisions that are held for their questions."""
MAX_EARLY_BYTES = 250_000
"""Bytes of all early decisions."""
MAX_LATE = 100
"""Decisions whose times are looked up at once."""
MAX_REFUSED = 50
"""Refused signals that are kept, the latest ones."""
MAX_SENT = 1_000
"""Characters that are kept of a refused signal and of the reason."""


class HeldDecisions:
    """Decisions of a run that count for no question now."""

    def __init__(self) -> None:
        self.heard = 0
        """Decisions sent to this run by signal."""
        self.late: list[Late] = []
        self._early: list[Decide] = []
        self._refused: list[Refusal] = []

    def restore(self, before: ApprovalReport) -> None:
        """Restore the decisions that the earlier run held."""
        self._early, self._refused, self.late = list(before.early), list(before.refused), list(before.late)

    def report(self, questions: Sequence[Question]) -> ApprovalReport:
        """Return a report of questions and held decisions."""
        return ApprovalReport(
            questions=tuple(questions), early=tuple(self._early), refused=tuple(self._refused), late=tuple(self.late)
        )

    def keep(self, decide: Decide) -> None:
        """Keep a decision on a question that has not been asked yet.

        Raises:
            DecisionRefused: too many are kept.
        """
        decide = changed(decide, approval=full_name(decide.approval))
        if decide in self._early:
            return
        if len(self._early) >= MAX_EARLY or len(to_json([*self._early, decide])) > MAX_EARLY_BYTES:
            raise DecisionRefused(
                f"{len(self._early)} early decisions wait for their questions, which is the limit: send it once the "
                "question is open"
            )
        self._early.append(decide)

    def taken(self, name: str) -> list[Decide]:
        """Return the early decisions on a question, which is asked now."""
        taken = [decide for decide in self._early if decide.approval == name]
        self._early = [decide for decide in self._early if decide.approval != name]
        return taken

    def hold(self, decide: Decide, at: datetime) -> None:
        """Hold a decision that is handled after the deadline, until the history tells when it was sent.

        Raises:
            DecisionRefused: too many are held.
        """
        if len(self.late) >= MAX_LATE:
            raise DecisionRefused(f"{len(self.late)} decisions came after the deadline already, which is the limit")
        self.late.append(Late(decide=decide, run_id=workflow.info().run_id, number=self.heard, at=at))

    def late_on(self, exact: str) -> tuple[Late, ...]:
        """Return the late decisions on a question, by its exact name."""
        return tuple(one for one in self.late if one.decide.approval == exact)

    def refuse(self, error: ApprovalError, sent: bytes, at: datetime) -> None:
        """Keep a refused decision with its reason."""
        refusal = Refusal(reason=error.message[:MAX_SENT], at=at, sent=_readable(sent))
        self._refused = [*self._refused, refusal][-MAX_REFUSED:]


def full_name(address: str) -> str:
    """Return a question's full name: `publish#1` is `publish`."""
    return repeated(base_of(address), round_of(address))


def _readable(sent: bytes) -> JsonValue:
    """Return the input of a signal for people: whole if it is short JSON, else the beginning of its text."""
    try:
        value: JsonValue = from_json(sent, allow_inf_nan=False)
    except ValueError:
        value = None
    return value if value is not None and len(sent) <= MAX_SENT else sent.decode(errors="replace")[:MAX_SENT]
