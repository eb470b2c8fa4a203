"""Checks of what a run did, from its history."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    Replayer,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)
from temporalio.workflow import info

from llmflow.app import App
from llmflow.client import Run
from llmflow.history.events import scheduled
from llmflow.plugin import LLMFlowPlugin
from llmflow.sdk.marks import type_of
from llmflow.types.wire import BATCH

_UNTIMED = True
"""Temporal's debug mode, for replays: a busy machine is no deadlock, and the run itself was looked at when it ran."""


async def activities_of(run: Run[Any]) -> list[str]:  # Any: runs with results of every type
    """Return ids of the activities that a run scheduled, in order, such as `["plan/complete#1", "search#1"]`.

    Pins are local activities and not among them.
    """
    history = await run.handle.fetch_history()
    return [call.activity_id for event in history.events if (call := scheduled(event))]


async def assert_replays(run: Run[Any] | WorkflowHistory, app: App) -> None:  # Any: as above
    """Assert that the current workflow code replays the history.

    A stored one is `WorkflowHistory.from_json("id", path.read_text())`; write it with
    `(await run.handle.fetch_history()).to_json()`.

    Raises:
        AssertionError: it does not replay; the message is Temporal's own, and names the first event that differs.
    """
    history = run if isinstance(run, WorkflowHistory) else await run.handle.fetch_history()
    workflows = _workflows_of([history], app)
    replayer = Replayer(workflows=workflows, plugins=[LLMFlowPlugin(app)], debug_mode=_UNTIMED)
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure:
        raise AssertionError(f"{history.workflow_id} does not replay: {result.replay_failure}")


def _workflows_of(histories: Sequence[WorkflowHistory], app: App) -> Sequence[type]:
    """Return the workflows that the histories may run: a replayer imports the module of each into its sandbox."""
    started = (history.events[0].workflow_execution_started_event_attributes for history in histories)
    types = {attributes.workflow_type.name for attributes in started}
    if BATCH in types:  # it runs the code of another one
        return app.workflows
    return [workflow for workflow in app.workflows if type_of(workflow) in (None, *types)] or app.workflows


class _Anything(type):
    """Makes every exception an instance, and no class a subclass."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Exception)


class _Bug(Exception, metaclass=_Anything):
    """Exceptions that fail a run of an environment when its code raises them.

    `Exception` has Temporal's `NondeterminismError` as a subclass: with it, a replayer would take a history that
    differs for a run that fails, and would be blocked by the next one.
    """


class StartedRuns(Interceptor):
    """Records each run that a worker executes."""

    def __init__(self) -> None:
        self.runs: dict[str, str] = {}
        """Run id -> workflow id, also of children and of runs that continue others."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """See base class."""
        runs = self.runs

        class Noting(WorkflowInboundInterceptor):
            async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # Any: the workflow's own result
                runs[info().run_id] = info().workflow_id
                return await super().execute_workflow(input)

        return Noting


async def assert_all_replay(temporal: TemporalClient, runs: Mapping[str, str], app: App) -> None:
    """Run `assert_replays` on runs (run id -> workflow id) of an environment, open ones too. Deleted ones are left out.

    Raises:
        AssertionError: some do not replay; the message names each with Temporal's own message.
    """
    histories: list[WorkflowHistory] = []
    for run, workflow in list(runs.items()):
        try:
            histories.append(await temporal.get_workflow_handle(workflow, run_id=run).fetch_history())
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def all_histories() -> AsyncIterator[WorkflowHistory]:
        for history in histories:
            yield history

    replayer = Replayer(
        workflows=_workflows_of(histories, app),
        plugins=[LLMFlowPlugin(app)],
        workflow_failure_exception_types=[_Bug],
        debug_mode=_UNTIMED,
    )
    found = await replayer.replay_workflows(all_histories(), raise_on_replay_failure=False)
    if found.replay_failures:
        lines = (f"{runs[run]} does not replay: {failure}" for run, failure in found.replay_failures.items())
        raise AssertionError("\n".join(lines))
