"""One run."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Generic, TypeVar, get_type_hints
from uuid import uuid4

from pydantic_core import to_jsonable_python
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from llmflow.client.decisions import check_begun, send
from llmflow.client.errors import how_it_ended, readable_errors
from llmflow.client.forks import SAME, Changes, start_fork
from llmflow.client.inputs import check_input
from llmflow.client.status import input_of, status_of, why_stuck
from llmflow.client.trees import usage_of_tree
from llmflow.errors import ConfigInvalid, ErrorDetail, InputInvalid, RunNotCompleted
from llmflow.stores.database import Database
from llmflow.stores.ledger.scores import new_score, put_score, root_of
from llmflow.types.approvals import ApprovalReport, Decide, Receipt
from llmflow.types.contracts import APPROVALS, STEPS, USAGE, Query
from llmflow.types.reports import Score
from llmflow.types.runs import RunStatus
from llmflow.types.steps import StepRecord, StepReport
from llmflow.types.usage import UsageReport

Out = TypeVar("Out")
Answer = TypeVar("Answer")

ANSWER_WITHIN = timedelta(seconds=10)
"""How long a query may take. Without a worker on the run's task queue it gets no answer at all."""


class Run(Generic[Out]):
    """One run, by its id."""

    def __init__(
        self,
        handle: WorkflowHandle[Any, Out],
        temporal: TemporalClient,
        store: str | None = None,
        workflow: Any = None,  # Any: its run method, or its name
    ) -> None:
        self.handle = handle
        """Temporal's own handle, for everything that is not here."""
        self._temporal = temporal
        self._store = store
        self._workflow = workflow

    @property
    def id(self) -> str:
        """The workflow id."""
        return self.handle.id

    @property
    def run_id(self) -> str | None:
        """The run id that this object was made for, if for one."""
        return self.handle.run_id or self.handle.result_run_id

    async def result(self) -> Out:
        """Wait for the run to end, and get what it returned.

        Raises:
            RunNotCompleted: it ended otherwise; the message says how, and `__cause__` is the error.
            RunNotFound: no run has this id.
        """
        async with readable_errors(self.id):
            try:
                return await self.handle.result()
            except WorkflowFailureError as error:
                raise RunNotCompleted(f"run {self.id!r} {how_it_ended(error.cause)}") from error.cause

    async def status(self) -> RunStatus:
        """Where it stands. Needs no worker.

        Raises:
            RunNotFound: no run has this id.
        """
        async with readable_errors(self.id):
            found = await self.handle.describe()
            stuck = await why_stuck(self._temporal, found)
            return (await status_of(found)).model_copy(update={"stuck": stuck})

    async def input(self) -> Any:  # Any: JSON
        """What it was started with, as JSON data; `None` if with nothing. Needs no worker.

        Raises:
            RunNotFound: no run has this id, or Temporal has forgotten how it began.
        """
        async with readable_errors(self.id):
            return await input_of(self._temporal, self.handle)

    async def usage(self) -> UsageReport:
        """Tokens and money so far, by model and by prompt version.

        Raises:
            NoWorker: nothing polls the run's task queue, so it cannot answer.
            RunNotFound: no run has this id.
        """
        return await self._ask(USAGE)

    async def tree_usage(self) -> UsageReport:
        """`usage` of the run and of all runs below it together. It reads their histories.

        Raises:
            NoWorker: nothing polls the task queue of one of them, so it cannot answer; or its worker has no llmflow.
            RunNotFound: no run has this id, or one of those below is gone.
        """
        async with readable_errors(self.id):
            known = (await self.handle.describe()).raw_description.workflow_execution_info
            first = known.first_run_id or known.execution.run_id
            return await usage_of_tree(self._temporal, self.id, first, ANSWER_WITHIN)

    async def steps(self) -> tuple[StepRecord, ...]:
        """Its steps, in the order in which they began.

        Raises:
            NoWorker: nothing polls the run's task queue, so it cannot answer.
            RunNotFound: no run has this id.
        """
        return (await self.progress()).steps

    async def progress(self) -> StepReport:
        """Its steps, and the calls that llmflow itself holds back, for a limit or a broken vendor, and until when.

        Raises:
            NoWorker: nothing polls the run's task queue, so it cannot answer.
            RunNotFound: no run has this id.
        """
        return await self._ask(STEPS)

    async def approvals(self) -> ApprovalReport:
        """What it asks people and has asked them, what they said, and what of that did not count.

        Raises:
            NoWorker: nothing polls the run's task queue, so it cannot answer.
            RunNotFound: no run has this id.
        """
        return await self._ask(APPROVALS)

    async def decide(
        self, approval: str, *, approved: bool, by: str, comment: str = "", form: object = None, id: str = ""
    ) -> Receipt:
        """Answer a question of the run. The same answer sent twice is one answer.

        Where no worker answers within 5 seconds, the answer is kept for the run, and `Receipt.sent` is true: whether
        it counts is decided when the run goes on, and `approvals` then says so.

        Args:
            approval: Name of the question, such as `publish`, or of one of its rounds: `publish#2`.
            approved: Yes or no.
            by: Who says so.
            comment: Why.
            form: What the question's form asks for: its model, or anything else that is JSON.
            id: Names the answer, for a program that may send it again after a crash: it counts once, whatever the run
                has asked meanwhile. A new one if left out.

        Raises:
            ApprovalNotFound: the run asks no such question now; names those that it asks.
            DecisionRefused: not an approver, a form that does not fit, decided already: nothing has changed.
            InputInvalid: `by` is empty, or the form is nothing that JSON can say.
            NoWorker: its worker does not use LLMFlowPlugin, or its delay is not over, and nothing was sent.
            RunNotFound: no run has this id, or it has ended.
        """
        # By alias: what the form's own class reads.
        given = {"approval": approval, "approved": approved, "by": by, "comment": comment, "id": id or uuid4().hex}
        try:
            decision = Decide.model_validate({**given, "form": to_jsonable_python(form)})
        except ValueError as error:  # of pydantic: one of them is of another type
            field = "by" if not by.strip() else "form"
            raise InputInvalid(f"this is no decision: {error}", ErrorDetail(field=field)) from None
        async with readable_errors(self.id):
            await check_begun(self.handle)
            return await send(self.handle, decision)

    async def approve(self, approval: str, *, by: str, comment: str = "", form: object = None, id: str = "") -> Receipt:
        """Say yes; see `decide`."""
        return await self.decide(approval, approved=True, by=by, comment=comment, form=form, id=id)

    async def reject(self, approval: str, *, by: str, comment: str = "", form: object = None, id: str = "") -> Receipt:
        """Say no; see `decide`."""
        return await self.decide(approval, approved=False, by=by, comment=comment, form=form, id=id)

    async def score(self, name: str, value: float, *, by: str | None = None, comment: str | None = None) -> Score:
        """Keep what somebody thinks of the run, now or days later, also when Temporal has long forgotten it.

        The run is its whole tree: a score of a child counts for the run that began it. It is credited to the prompt
        versions and models of the tree.

        Args:
            name: What is judged, such as `helpful`.
            value: Any number, the same scale for all scores of a name; 1 and 0 for yes and no.
            by: Who says so. A second score of the same name by the same person replaces the first.
            comment: Why.

        Raises:
            RunNotFound: neither the store nor Temporal knows a run of this id.
            InputInvalid: the name is empty, or the value is no finite number.
            ConfigInvalid: this client was made without a store, or the store has an older schema, or is not there.
            StoreUnavailable: the store does not answer.
        """
        if self._store is None:
            raise ConfigInvalid("scores are kept in the store: give connect(store=...), or set LLMFLOW_STORE")
        score = new_score(self.id, name, value, by, comment)
        # For this alone: a client holds no connection to the store.
        async with Database(self._store, create=False) as database:
            root = await root_of(database, self.id) or await self._root()
            return await put_score(database, score.model_copy(update={"run": root}))

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
    ) -> "Run[Out]":
        """Start a new run like this one, which takes its results from before a step and pays only for the rest.

        A result is taken if the same call was made with the same input before the step began, with the prompt versions
        and models that this run began with, wherever labels and aliases point by now. Everything else is done again;
        people are asked again. It may be running or have ended in any way.

        Args:
            step: The step or the call that is the first to be done again, such as `write` or `write/complete#2`.
            input: Another input.
            prompts: For a prompt's name another version: its hash or first digits, a label, or `file`.
            models: For an alias, or a `provider:model`, another one.
            id: Names the new run. Asking for the same fork twice starts it once; a new id if left out.
            task_queue: Where its workers are; that of this run if left out.
            tags: Instead of those of this run. Its tenant, user, priority and budget are taken over; the budget is
                for the new run alone, and whole.

        Raises:
            StepNotFound: the run has no such step or call; names those that it has.
            RunNotFound: no run has this id.
            RunExists: another run has the new id.
            InputInvalid: the input does not fit the workflow, where this object was made with it; nothing was started.
            PayloadTooLarge: the input does not fit Temporal; nothing was started.
        """
        if input is not SAME:
            check_input(self._temporal, self._workflow, (input,))
        changes = Changes(
            input=input, prompts=prompts or {}, models=models or {}, id=id, task_queue=task_queue, tags=tags
        )
        result_type = get_type_hints(self._workflow).get("return") if callable(self._workflow) else None
        handle = await start_fork(self._temporal, self.id, self.handle.run_id, step, changes, result_type)
        return Run(handle, self._temporal, self._store, self._workflow)

    async def cancel(self) -> None:
        """Ask it to stop: running calls are cut, and its clean-up code runs. A run that has ended stays as it is.

        Compensations of its sagas are clean-up code, so what they know to undo is undone.

        Raises:
            RunNotFound: no run has this id.
        """
        async with readable_errors(self.id):
            await self.handle.cancel()

    async def terminate(self, reason: str) -> None:
        """End it from outside, at once: none of its code runs any more, so no compensation either. Prefer `cancel`.

        Its running calls are cut, and its child workflows end as their parent close policy says.

        Args:
            reason: Why, for its history and for everyone who asks for its result.

        Raises:
            RunNotFound: no run has this id, or it has ended.
        """
        async with readable_errors(self.id):
            await self.handle.terminate(reason=reason)

    async def _ask(self, query: Query[Answer]) -> Answer:
        async with readable_errors(self.id):
            try:
                return await self.handle.query(query.name, result_type=query.output, rpc_timeout=ANSWER_WITHIN)
            except RPCError as error:
                if error.status is RPCStatusCode.FAILED_PRECONDITION:
                    await check_begun(self.handle)
                raise

    async def _root(self) -> str:
        async with readable_errors(self.id):
            found = await self.handle.describe()
        return found.raw_description.workflow_execution_info.root_execution.workflow_id or found.id
