"""A run of a workflow that uses llmflow: a table of parts, one for each feature."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, cast

from temporalio import workflow

from llmflow.flow.run.admission import Admission
from llmflow.flow.run.approvals import Approvals
from llmflow.flow.run.branches import Branches
from llmflow.flow.run.code import Code
from llmflow.flow.run.forks import Forks
from llmflow.flow.run.machines import MachineRecord
from llmflow.flow.run.part import AnyHeader, Part
from llmflow.flow.run.pins import RunPins
from llmflow.flow.run.sagas import Sagas
from llmflow.flow.run.scope import batch
from llmflow.flow.run.start import carried
from llmflow.flow.run.steps import Steps
from llmflow.flow.run.totals import RunTotals
from llmflow.flow.run.visibility import Visibility
from llmflow.flow.run.waits import Waits
from llmflow.types import wire
from llmflow.types.carried import Carried
from llmflow.types.contracts import CARRIED, PLACE, STEPS
from llmflow.types.origins import Origin
from llmflow.types.steps import StepReport
from llmflow.types.usage import UsageReport


class CurrentRun:
    """Parts, who the run is for, and what it was started with."""

    def __init__(self) -> None:
        self.origin = Origin()
        """Who the run is for."""
        self.is_batch = False
        """True if the run works on a batch of another one's fan-out."""
        self.code: Code | None = None
        """`None` until the workflow's `run` begins."""
        self.object: object = None
        """The workflow object: Temporal's own, or in a batch a fresh one of the workflow that fans out."""
        self.signature = inspect.Signature()
        """Of the workflow's `run`."""
        # The table. The page of the run shows what its parts say in their order here.
        self.approvals = Approvals(self.ask)
        self.steps = Steps()
        self.sagas = Sagas()
        self.machines = MachineRecord()
        self.waits = Waits()
        self.totals = RunTotals(self._counted)
        self.pins = RunPins()
        self.forks = Forks()
        self.visibility = Visibility()
        self.admission = Admission()
        self.branches = Branches()
        self._parts = tuple(part for part in vars(self).values() if isinstance(part, Part))

    @property
    def workflow_type(self) -> str:
        """Type of the workflow whose code the run executes."""
        return self.origin.workflow or workflow.info().workflow_type

    def restore(self, info: workflow.Info) -> None:
        """Restore what the start of the run carries. Called before any code of the user runs.

        Raises:
            InputInvalid: a memo of ours is of another type.
        """
        state = carried(info)
        self.origin, self.is_batch = state.origin, info.workflow_type == wire.BATCH
        for part in self._parts:
            part.restore(state)

    def answer(self) -> None:
        """Register the queries, updates and signals of all parts."""
        workflow.set_query_handler(STEPS.name, self.report)
        for part in self._parts:
            part.answer()

    def begin(self, code: Code, events: int) -> None:
        """The workflow's code begins, or has begun.

        Args:
            code: What it executes.
            events: Of the history, at the first workflow task.
        """
        self.code, self.signature = code.copied(), inspect.signature(code.method)
        self.object = self.code.fresh() if self.is_batch else workflow.instance()
        self.machines.start(events)
        self.ask()  # what the run before left open: Temporal carries over the memo of the start alone

    async def begun(self) -> Code:
        """The code that the run executes. Handlers of messages may run before it begins."""
        await workflow.wait_condition(lambda: self.code is not None)
        return cast(Code, self.code)

    def end(self) -> None:
        """Withdraw all open approvals when the run closes."""
        self.approvals.withdraw()
        self.publish()

    def for_activity(self, activity_id: str | None, *, is_local: bool) -> dict[AnyHeader, object]:
        """Headers of an activity, with their values."""
        self.machines.work()
        headers: dict[AnyHeader, object] = {}
        for part in self._parts:
            headers.update(part.for_activity(activity_id, is_local=is_local))
        return headers

    def for_child(self, workflow_type: str) -> dict[AnyHeader, object]:
        """Headers of a child workflow, with their values."""
        self.machines.work()
        works_for = self.workflow_type if batch.get() else None
        root = self.origin.root or workflow.info().workflow_id
        origin = self.origin.model_copy(update={"root": root, "workflow": works_for})
        place = self.steps.address_of_child(works_for or workflow_type)
        return {CARRIED: _merged(origin, [part.for_child(place) for part in self._parts]), PLACE: place}

    def for_next(self) -> dict[AnyHeader, object]:
        """Headers of the run that continues this one, with their values."""
        return {CARRIED: _merged(self.origin, [part.for_next() for part in self._parts])}

    def for_parent(self) -> Carried:
        """What a child that worked on a batch gives its parent: its pins, attributes and totals."""
        return _merged(Origin(), [part.for_next() for part in (self.pins, self.visibility, self.totals)])

    def learn(self, child: Carried) -> None:
        """Use what a child that worked on a batch has learned, and count what it has spent."""
        self.visibility.know(child.attributes)
        self.pins.learn(child)
        self.totals.count(child.usage or UsageReport())

    def report(self) -> StepReport:
        """Steps so far, in the order in which they began, and what the run waits for."""
        fields: dict[str, Any] = {}  # Any: of several types
        for part in self._parts:
            fields.update(part.report())
        return StepReport(**fields)

    def ask(self) -> None:
        """Show what people are asked, wherever they look."""
        self.show()
        self.visibility.ask(self.approvals.open())

    def show(self) -> None:
        """Update the page of the run in the Web UI."""
        self.visibility.show("\n".join(line for part in self._parts for line in part.page()))

    def publish(self) -> None:
        """Write the search attributes that have changed. At the end of a phase and not of a call: it is an event."""
        if not self.is_batch:  # what a batch costs is in the totals of its parent
            self.visibility.publish(self.origin, self.totals.usage)

    def _counted(self, usage: UsageReport) -> None:
        self.steps.spend(usage.total)
        self.show()


def _merged(origin: Origin, fields: Sequence[Mapping[str, object]]) -> Carried:
    state: dict[str, Any] = {"origin": origin}  # Any: of several types
    for some in fields:
        state.update(some)
    return Carried(**state)
