"""A run of a workflow that uses llmflow: a table of parts, one for each feature."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, cast

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

from llmflow.flow.run.admission import Admission
from llmflow.flow.run.approvals import Approvals
from llmflow.flow.run.branches import Branches
from llmflow.flow.run.code import Code
from llmflow.flow.run.constants import RunConstants
from llmflow.flow.run.conversations import Conversations
from llmflow.flow.run.events import RunEvents
from llmflow.flow.run.forks import Forks
from llmflow.flow.run.funding import Funding
from llmflow.flow.run.host import Host
from llmflow.flow.run.keys import RunKeys
from llmflow.flow.run.machines import MachineRecord
from llmflow.flow.run.part import AnyHeader, Part
from llmflow.flow.run.pins import RunPins
from llmflow.flow.run.sagas import Sagas
from llmflow.flow.run.scope import batch, label
from llmflow.flow.run.start import carried
from llmflow.flow.run.steps import Steps
from llmflow.flow.run.totals import RunTotals
from llmflow.flow.run.visibility import Visibility
from llmflow.flow.run.waits import Waits
from llmflow.types import wire
from llmflow.types.approvals import Settled
from llmflow.types.base import changed
from llmflow.types.carried import Carried
from llmflow.types.contracts import CARRIED, PLACE, STEPS
from llmflow.types.origins import Origin
from llmflow.types.steps import StepReport
from llmflow.types.usage import UsageReport


class CurrentRun:
    """Parts of a run, its origin, and its arguments."""

    def __init__(self, host: Host) -> None:
        """Make a run on a worker."""
        self._host = host
        self.origin = Origin()
        """Tenant, user, tags and budget of the run."""
        self.is_batch = False
        """True if the run processes a batch of another run's fan-out."""
        self.code: Code | None = None
        """`None` until the workflow's `run` begins."""
        self.object: object = None
        """The workflow object: Temporal's own; in a batch, a fresh one of the workflow that fans out."""
        self.signature = inspect.Signature()
        """Signature of the workflow's `run`."""
        # The table of parts. The page of the run shows their lines in this order.
        self.events = RunEvents(host.tell)
        self.approvals = Approvals(self.ask, self.events.question)
        self.steps = Steps()
        self.sagas = Sagas()
        self.keys = RunKeys()
        self.machines = MachineRecord()
        self.waits = Waits()
        self.totals = RunTotals(self._counted)
        self.pins = RunPins()
        self.constants = RunConstants()
        self.forks = Forks()
        self.conversations = Conversations()
        self.visibility = Visibility()
        self.funding = Funding()
        self.admission = Admission(host.stored_from)
        self.branches = Branches()
        self._parts = tuple(part for part in vars(self).values() if isinstance(part, Part))

    @property
    def workflow_type(self) -> str:
        """Type of the workflow whose code the run executes."""
        return self.origin.workflow or workflow.info().workflow_type

    @property
    def app(self) -> str | None:
        """App of the workflow; `None` if it is in no App of the worker."""
        return self._host.apps.get(self.workflow_type) or self._host.apps.get(None)

    @property
    def calls_queue(self) -> str:
        """Task queue of llmflow's calls."""
        return self._host.calls_queue(workflow.info().task_queue)

    @property
    def origin_here(self) -> Origin:
        """Origin of a call of the calling code: that of the run, with the label of the fan-out's item."""
        return changed(self.origin, item=item) if (item := label.get()) else self.origin

    def restore(self, info: workflow.Info) -> None:
        """Restore the state carried by the start of the run, before any user code runs.

        Raises:
            InputInvalid: a memo of llmflow has an invalid value.
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
        """Note that the workflow's code begins, or has begun.

        Args:
            code: The code that the run executes.
            events: Length of the history at the first workflow task.
        """
        self.code, self.signature = code.copied(), inspect.signature(code.method)
        self.object = self.code.fresh() if self.is_batch else workflow.instance()
        self.machines.start(events)
        self.events.started(is_batch=self.is_batch)
        self.ask()  # restored questions: Temporal only carries over the memo of the start

    async def begun(self) -> Code:
        """Await the code that the run executes. Signal and update handlers may run before it begins."""
        await workflow.wait_condition(lambda: self.code is not None)
        return cast(Code, self.code)

    def end(self, error: BaseException | None = None) -> None:
        """Withdraw all open approvals when the run closes: with an error, or without."""
        self.approvals.withdraw()
        self.publish()
        is_cancelled = error is not None and is_cancelled_exception(error)
        self.events.ended(error, is_cancelled=is_cancelled, is_batch=self.is_batch)

    def for_activity(self, activity_id: str | None, type: str, *, is_local: bool) -> dict[AnyHeader, object]:
        """Return headers of an activity, with their values."""
        self.machines.work()
        headers: dict[AnyHeader, object] = {}
        for part in self._parts:
            headers.update(part.for_activity(activity_id, type, is_local=is_local))
        return headers

    def for_child(self, workflow_type: str) -> dict[AnyHeader, object]:
        """Return headers of a child workflow, with their values."""
        self.machines.work()
        works_for = self.workflow_type if batch.get() else None
        root = self.origin.root or workflow.info().workflow_id
        origin = changed(self.origin_here, root=root, workflow=works_for)
        place = self.steps.address_of_child(works_for or workflow_type)
        return {CARRIED: _merged(origin, [part.for_child(place) for part in self._parts]), PLACE: place}

    def for_next(self) -> dict[AnyHeader, object]:
        """Return headers of the continue-as-new run, with their values."""
        return {CARRIED: _merged(self.origin, [part.for_next() for part in self._parts])}

    def for_parent(self) -> Carried:
        """Return state of a batch child for its parent: pins, constants, attributes and totals."""
        return _merged(
            Origin(), [part.for_next() for part in (self.pins, self.constants, self.visibility, self.totals)]
        )

    def learn(self, child: Carried) -> None:
        """Adopt a batch child's pins, constants and attributes, and add its totals."""
        self.visibility.know(child.attributes)
        self.pins.learn(child)
        self.constants.learn(child)
        self.totals.count(child.usage or UsageReport())

    def report(self) -> StepReport:
        """Return the result of the query `llmflow.steps`."""
        fields: dict[str, Any] = {}  # Any: of several types
        for part in self._parts:
            fields.update(part.report())
        return StepReport(**fields)

    def ask(self, settled: Settled | None = None) -> None:
        """Show the open questions: on the page, in the memo, and in the search attribute. Record a settled one."""
        self.show()
        self.visibility.ask(self.approvals.open(), settled)

    def show(self) -> None:
        """Update the page of the run in the Web UI."""
        self.visibility.show("\n".join(line for part in self._parts for line in part.page()))

    def publish(self) -> None:
        """Upsert changed search attributes. It is an event, so it happens after a phase and not after a call."""
        if not self.is_batch:  # the parent's totals include those of a batch
            self.visibility.publish(self.origin, self.totals.usage)

    def _counted(self, usage: UsageReport) -> None:
        self.steps.spend(usage.total)
        self.show()


def _merged(origin: Origin, fields: Sequence[Mapping[str, object]]) -> Carried:
    state: dict[str, Any] = {"origin": origin}  # Any: of several types
    for some in fields:
        state.update(some)
    return Carried(**state)
