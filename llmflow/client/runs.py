"""A run, as a client's object."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Generic, TypeVar, get_type_hints
from uuid import uuid4

from pydantic import ValidationError
from pydantic_core import to_jsonable_python
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError, RPCStatusCode

from llmflow.client.decisions import check_begun, send
from llmflow.client.errors import how_it_ended, readable_errors
from llmflow.client.events import follow
from llmflow.client.forks import SAME, Changes, start_fork
from llmflow.client.inputs import check_input
from llmflow.client.status import bug_of, input_of, status_of, stop_of
from llmflow.client.trees import usage_of_tree
from llmflow.errors import BudgetNotFound, ConfigInvalid, ErrorDetail, InputInvalid, RunNotCompleted
from llmflow.history.executions import describe
from llmflow.stores.budgets.balances import find_budget
from llmflow.stores.database import Database
from llmflow.stores.events.places import event_streams
from llmflow.stores.ledger.scores import new_score, put_score, root_of
from llmflow.types.approvals import ApprovalReport, Decide, Receipt
from llmflow.types.base import changed
from llmflow.types.budgets import Balance, BudgetName
from llmflow.types.contracts import APPROVALS, STEPS, USAGE, Query
from llmflow.types.events import RunEvent
from llmflow.types.problems import described, problems_of
from llmflow.types.reports import Score
from llmflow.types.runs import RunStatus
from llmflow.types.steps import StepRecord, StepReport
from llmflow.types.usage import UsageReport

Out = TypeVar("Out")
Answer = TypeVar("Answer")

ANSWER_WITHIN = timedelta(seconds=10)
"""Time limit of a query. Without a worker on the run's task queue it always times out."""


class Run(Generic[Out]):
    """A run, by its id."""

    def __init__(
        self,
        handle: WorkflowHandle[Any, Out],
        temporal: TemporalClient,
        store: str | None = None,
        workflow: Any = None,  # Any: its run method, or its name
        events: str | None = None,
    ) -> None:
        self.handle = handle
        """Temporal's own handle, for all other requests."""
        self._temporal = temporal
        self._store = store
        self._workflow = workflow
        self._events = events

    @property
    def id(self) -> str:
        """The workflow id."""
        return self.handle.id

    @property
    def run_id(self) -> str | None:
        """The run id, if this object is for one run of the workflow id."""
        return self.handle.run_id or self.handle.result_run_id

    async def result(self) -> Out:
        """Await the run and return its result.

        Raises:
            RunNotCompleted: the run closed without a result; the message says how, and `__cause__` is the error.
            ForkStopped: the run is a fork, and stopped before an effect, or where it was told to.
            RunNotFound: no run has this id.
        """
        async with readable_errors(self.id):
            try:
                return await self.handle.result()
            except WorkflowFailureError as error:
                if isinstance(error.cause, CancelledError) and (stop := await stop_of(await self.handle.describe())):
                    raise stop.error() from error.cause
                raise RunNotCompleted(f"run {self.id!r} {how_it_ended(error.cause)}") from error.cause

    async def status(self) -> RunStatus:
        """Return the status. No worker is needed.

        Raises:
            RunNotFound: no run has this id.
        """
        async with readable_errors(self.id):
            found = await describe(self._temporal, self.handle)
            bug = await bug_of(self._temporal, found)
            return changed(await status_of(found), stuck=bug and bug.error, stuck_at=bug and bug.place)

    async def input(self) -> Any:  # Any: JSON
        """Return the input as JSON data; `None` without input. No worker is needed.

        Raises:
            RunNotFound: no run has this id, or Temporal has deleted the history of its start.
        """
        async with readable_errors(self.id):
            return await input_of(self._temporal, self.handle)

    async def usage(self) -> UsageReport:
        """Query tokens and cost so far, by model and by prompt version.

        Raises:
            NoWorker: no worker polls the run's task queue.
            RunNotFound: no run has this id.
        """
        return await self._ask(USAGE)

    async def tree_usage(self) -> UsageReport:
        """Add up `usage` over the run and all its descendants, which are found in histories.

        Raises:
            NoWorker: no worker polls the task queue of one of them, or its worker has no llmflow.
            RunNotFound: no run has this id, or a descendant was deleted.
        """
        async with readable_errors(self.id):
            known = (await describe(self._temporal, self.handle)).raw_description.workflow_execution_info
            first = known.first_run_id or known.execution.run_id
            return await usage_of_tree(self._temporal, self.id, first, ANSWER_WITHIN)

    async def budget(self) -> Balance | None:
        """Return the budget of the run's whole tree: spent, reserved and left US dollars, and the calls that hold them.

        It is `None` for a run without a budget.

        Raises:
            RunNotFound: no run has this id.
            ConfigInvalid: this client has no store.
            StoreUnavailable: the store does not answer.
        """
        given, root = (await self.status()).budget, await self._root()
        async with self._opened("budgets") as database:
            try:
                return await find_budget(database, BudgetName(scope="run", name=root))
            except BudgetNotFound:  # the run has made no call yet
                return given and Balance(scope="run", name=root, usd=given.usd, left=given.usd)

    async def steps(self) -> tuple[StepRecord, ...]:
        """Query its steps, in the order of their start.

        Raises:
            NoWorker: no worker polls the run's task queue.
            RunNotFound: no run has this id.
        """
        return (await self.progress()).steps

    async def progress(self) -> StepReport:
        """Query its steps, waits, compensations and transitions. Waits are calls held back for a limit or an outage.

        Raises:
            NoWorker: no worker polls the run's task queue.
            RunNotFound: no run has this id.
        """
        return await self._ask(STEPS)

    async def approvals(self) -> ApprovalReport:
        """Query its questions with their votes, and refused decisions.

        Raises:
            NoWorker: no worker polls the run's task queue.
            RunNotFound: no run has this id.
        """
        return await self._ask(APPROVALS)

    async def events(self, *, after: str = "") -> AsyncGenerator[RunEvent]:
        """Iterate over its run events while they happen, until it ends: steps, calls, texts, tools, questions, costs.

        The events of its descendants are among them, with their path; those of a child are in the stream of its root
        run, which is the one that is read. Text comes in deltas, for which this reader makes workers write: without a
        reader they write none. The last event is the `RunEnded` of the root run, also if no worker has told it.

        ```python
        async for event in run.events():
            if isinstance(event, TextDelta):
                print(event.text, end="")
        ```

        Events are kept for 7 days after the last one, the latest 10,000 and 2,000 deltas.

        Args:
            after: Offset of an event: iterate over those after it. If the stream does not have it, because the store
                was set back, a `StreamReset` comes first and then the whole stream. All events by default.

        Raises:
            InputInvalid: `after` is no offset.
            RunNotFound: no run has this id.
            ConfigInvalid: this client has no store, or the store has another schema or does not exist.
            StoreUnavailable: the store does not answer. The offset of the last event tells where to go on.
        """
        if (url := self._events or self._store) is None:
            raise ConfigInvalid("run events are kept in the store: give connect(store=...), or set LLMFLOW_STORE")
        root, streams = await self._root(), event_streams(url)
        try:
            async with aclosing(follow(streams, self._temporal, root, after)) as events:
                async for event in events:
                    yield event
        finally:
            await streams.close()

    async def decide(
        self, approval: str, *, approved: bool, by: str, comment: str = "", form: object = None, id: str = ""
    ) -> Receipt:
        """Decide on a question of the run. It is idempotent: a decision sent twice counts once.

        If no worker responds within 5 seconds, the decision is sent by signal and `Receipt.sent` is true. The run then
        applies or refuses it later; `approvals` shows the outcome.

        Args:
            approval: Name of the question, such as `publish`, or of one of its rounds: `publish#2`.
            approved: True to approve, False to reject.
            by: Name of the approver.
            comment: Reason.
            form: The filled-in form: an instance of its model, or JSON data.
            id: Idempotency key, for a program that may resend the decision after a crash: it counts once, even if the
                run has asked again. Random by default.

        Raises:
            ApprovalNotFound: the run has no such open question; the message names the open ones.
            DecisionRefused: not an approver, a form that does not fit, or already decided; nothing changed.
            InputInvalid: `by` is empty, or the form cannot be written as JSON.
            NoWorker: its worker does not use LLMFlowPlugin, or its start delay has not ended; nothing was sent.
            RunNotFound: no run has this id, or it is closed.
        """
        # By alias, as the form's own class reads it.
        given = {"approval": approval, "approved": approved, "by": by, "comment": comment, "id": id or uuid4().hex}
        try:
            decision = Decide.model_validate({**given, "form": to_jsonable_python(form)})
        except ValidationError as error:
            field = str(problems_of(error)[0]["loc"][0])
            raise InputInvalid(f"invalid decision: {described(error)}", ErrorDetail(field=field)) from None
        except ValueError as error:  # JSON cannot represent the form
            raise InputInvalid(f"invalid decision: form: {error}", ErrorDetail(field="form")) from None
        async with readable_errors(self.id):
            await check_begun(self._temporal, self.handle)
            return await send(self.handle, decision)

    async def approve(self, approval: str, *, by: str, comment: str = "", form: object = None, id: str = "") -> Receipt:
        """Approve a question; see `decide`."""
        return await self.decide(approval, approved=True, by=by, comment=comment, form=form, id=id)

    async def reject(self, approval: str, *, by: str, comment: str = "", form: object = None, id: str = "") -> Receipt:
        """Reject a question; see `decide`."""
        return await self.decide(approval, approved=False, by=by, comment=comment, form=form, id=id)

    async def score(self, name: str, value: float, *, by: str | None = None, comment: str | None = None) -> Score:
        """Store a score of the run, at any time, also after Temporal has deleted its history.

        A score counts for the whole tree: that of a child is stored for the root run. It is credited to the prompt
        versions and models of the tree.

        Args:
            name: Name of the judged quality, such as `helpful`.
            value: Finite number, on one scale for all scores of the name; 1 and 0 for yes and no.
            by: Judge. A second score of the name by the same judge replaces the first.
            comment: Reason.

        Raises:
            RunNotFound: neither the store nor Temporal knows a run of this id.
            InputInvalid: the name is empty, or the value is not a finite number.
            ConfigInvalid: the client has no store, or the store has another schema or does not exist.
            StoreUnavailable: the store does not answer.
        """
        score = new_score(self.id, name, value, by, comment)
        async with self._opened("scores") as database:
            root = await root_of(database, self.id) or await self._root()
            return await put_score(database, changed(score, run=root))

    async def fork(
        self,
        step: str,
        *,
        input: object = SAME,
        prompts: Mapping[str, str] | None = None,
        models: Mapping[str, str] | None = None,
        id: str | None = None,
        task_queue: str | None = None,
        tags: Sequence[str] | None = None,
        repeat_effects: bool = False,
        until: str = "",
    ) -> "Run[Out]":
        """Start a new run that reuses this run's results from before a step and pays only for the rest.

        A result is reused if this run made the same call with the same input before the step, and a decision if it was
        made on the same question before the step. The fork keeps the prompt versions and models of this run, even if
        labels and aliases have moved. Other calls are made again, and other questions are asked again.

        Effects (tools with `effect=True`, and what actions of sagas do) are not repeated: the fork takes their recorded
        results, also from after the step, or stops before the first one without. Then it is cancelled, and `result`
        raises `ForkStopped`. This run may be open or closed.

        Args:
            step: First step or call to repeat, such as `write` or `write/complete#2`.
            input: New input; the same by default.
            prompts: New versions by prompt name: a hash or its first digits, a label, or `file`.
            models: New models, an alias or `provider:model`, by alias or `provider:model`.
            id: Workflow id of the new run. The same fork with the same id starts once. Random by default.
            task_queue: Task queue; this run's by default.
            tags: Tags; this run's by default. Tenant, user, priority and budget are copied; the new run has the whole
                budget for itself.
            repeat_effects: True to call the effects in the step, and those without a recorded result that stands. If a
                saga of the fork fails then, it also undoes the results that it took.
            until: Step or call before which the fork ends, with `ForkStopped`; it runs to its end by default.

        Raises:
            StepNotFound: the run has no such step or call; the message names those it has.
            PromptNotFound: a prompt is none of the run's; the message has the nearest name.
            RunNotFound: no run has this id.
            RunExists: another run has the new id.
            InputInvalid: the input does not fit the workflow, if this object knows it; nothing was started.
            PayloadTooLarge: the input exceeds Temporal's payload limit; nothing was started.
        """
        if input is not SAME:
            check_input(self._temporal, self._workflow, (input,))
        changes = Changes(
            input=input,
            prompts=prompts or {},
            models=models or {},
            id=id,
            task_queue=task_queue,
            tags=tags,
            repeat_effects=repeat_effects,
            until=until,
        )
        result_type = get_type_hints(self._workflow).get("return") if callable(self._workflow) else None
        handle = await start_fork(self._temporal, self.id, self.handle.run_id, step, changes, result_type)
        return Run(handle, self._temporal, self._store, self._workflow, self._events)

    async def cancel(self) -> None:
        """Request cancellation: in-flight calls are cancelled, and clean-up code runs, compensations of sagas included.

        A closed run does not change.

        Raises:
            RunNotFound: no run has this id.
        """
        async with readable_errors(self.id):
            await self.handle.cancel()

    async def terminate(self, reason: str) -> None:
        """Terminate the run at once, without clean-up code and compensations. Prefer `cancel`.

        In-flight calls are cancelled, and the parent close policy of each child applies.

        Args:
            reason: Reason, for its history and for callers that await its result.

        Raises:
            RunNotFound: no run has this id, or it is closed.
        """
        async with readable_errors(self.id):
            await self.handle.terminate(reason=reason)

    def _opened(self, what: str) -> Database:
        """Return the store, for one request: a client holds no connection to it.

        Raises:
            ConfigInvalid: this client has none.
        """
        if self._store is None:
            raise ConfigInvalid(f"{what} are kept in the store: give connect(store=...), or set LLMFLOW_STORE")
        return Database(self._store, create=False)

    async def _ask(self, query: Query[Answer]) -> Answer:
        async with readable_errors(self.id):
            try:
                return await self.handle.query(query.name, result_type=query.output, rpc_timeout=ANSWER_WITHIN)
            except RPCError as error:
                if error.status is RPCStatusCode.FAILED_PRECONDITION:
                    await check_begun(self._temporal, self.handle)
                raise

    async def _root(self) -> str:
        async with readable_errors(self.id):
            found = await describe(self._temporal, self.handle)
        return found.raw_description.workflow_execution_info.root_execution.workflow_id or found.id
