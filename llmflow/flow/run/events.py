"""Run events of workflow code: steps, approvals, handoffs, the begin and the end of the run.

They leave the workflow by the worker's log, which is outside of it: no history event, no command, nothing that workflow
code could read. So a replay cannot differ by them. It tells none, and a workflow task that is retried tells some again,
with the same ids.
"""

from collections.abc import Callable, Mapping
from typing import Any

from temporalio import workflow

from llmflow.flow.run.part import AnyHeader, Part
from llmflow.flow.run.questions import about
from llmflow.flow.run.scope import batch
from llmflow.types import wire
from llmflow.types.addresses import joined
from llmflow.types.approvals import Question, decisive
from llmflow.types.carried import Carried
from llmflow.types.contracts import COMPLETE, STREAM
from llmflow.types.events import (
    ApprovalClosed,
    ApprovalOpened,
    HandedOff,
    RunEnded,
    RunEvent,
    RunStarted,
    StepClosed,
    StepOpened,
    Stream,
    identified,
    preview,
)
from llmflow.types.runs import RunState
from llmflow.types.steps import StepRecord
from llmflow.types.texts import one_line


class RunEvents(Part):
    """Tells the events of a run to the worker, with the path of the run in its tree."""

    def __init__(self, tell: Callable[[str, RunEvent], None]) -> None:
        self._tell = tell
        self._stream: Stream | None = None
        """Stream of a child; `None` for a root run, whose stream is its own."""

    def restore(self, carried: Carried) -> None:
        """See base class."""
        if root := carried.origin.root:
            self._stream = Stream(root=root, place=carried.place)

    def for_next(self) -> Mapping[str, object]:
        """See base class."""
        return {"place": self._place}

    def for_child(self, place: str) -> Mapping[str, object]:
        """See base class. In a batch, the addresses of items already are those of the run that fans out."""
        return {"place": self._place if batch.get() else self._below(place)}

    def for_activity(self, activity_id: str | None, type: str, *, is_local: bool) -> Mapping[AnyHeader, object]:
        """See base class. Activities of root runs need no header: it would be in the history with each."""
        is_told = type == COMPLETE.name or not type.startswith(f"{wire.PREFIX}.")
        return {STREAM: self._stream} if self._stream and is_told else {}

    def started(self, *, is_batch: bool) -> None:
        """Tell that the run begins."""
        info = workflow.info()
        if not is_batch:
            is_continued = info.continued_run_id is not None
            self._add(RunStarted, "", workflow=info.workflow_type, continued=is_continued)

    def ended(self, error: BaseException | None, *, is_cancelled: bool, is_batch: bool) -> None:
        """Tell that the run ends."""
        state: RunState = "cancelled" if is_cancelled else "failed" if error else "completed"
        said = preview(one_line(str(error))) if error and not is_cancelled else None
        if not is_batch:
            self._add(RunEnded, "", state=state, error=said)

    def opened(self, step: StepRecord) -> None:
        """Tell that a step begins."""
        self._add(StepOpened, step.path, label=step.label, total=step.total)

    def closed(self, step: StepRecord) -> None:
        """Tell that a step ends."""
        self._add(StepClosed, step.path, status=step.status, error=step.error and preview(step.error))

    def question(self, question: Question, address: str) -> None:
        """Tell that people are asked, or no longer."""
        name = question.exact
        if question.status == "open":
            facts = {"approvers": question.approvers, "deadline": question.deadline}
            self._add(ApprovalOpened, address, approval=name, details=preview(about(question)), **facts)
        else:
            vote = decisive(question)
            facts = {"by": vote.by, "comment": preview(vote.comment)} if vote else {}
            self._add(ApprovalClosed, address, approval=name, status=question.status, **facts)

    def handed_off(self, address: str, *, agent: str, to: str, why: str = "") -> None:
        """Tell that another agent goes on. An address is told once."""
        self._add(HandedOff, address, agent=agent, to=to, why=preview(why))

    @property
    def _place(self) -> str:
        return self._stream.place if self._stream else ""

    def _below(self, address: str) -> str:
        return joined(filter(None, (self._place, address)))

    def _add(self, kind: type[Any], address: str, **fields: Any) -> None:  # Any: an event class, and its fields
        if workflow.unsafe.is_replaying():
            return
        info = workflow.info()
        event: RunEvent = kind(
            id=identified(kind.model_fields["type"].default, info.run_id, address),
            at=workflow.now(),
            run=info.workflow_id,
            run_id=info.run_id,
            path=self._below(address),
            **fields,
        )
        self._tell(self._stream.root if self._stream else info.workflow_id, event)
