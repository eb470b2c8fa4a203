"""What a run did, from its history."""

from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from llmflow.app import App
from llmflow.client import Run
from llmflow.plugin import LLMFlowPlugin


async def activities_of(run: Run[Any]) -> list[str]:  # Any: runs with results of every type
    """Ids of the activities that a run scheduled, in order, such as `["plan/complete#1", "search#1"]`.

    Pins are local activities and not among them.
    """
    history = await run.handle.fetch_history()
    return [
        event.activity_task_scheduled_event_attributes.activity_id
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]


async def assert_replays(run: Run[Any] | WorkflowHistory, app: App) -> None:  # Any: as above
    """The workflow code of today makes the same decisions as the history says.

    A stored one is `WorkflowHistory.from_json("id", path.read_text())`; write it with
    `(await run.handle.fetch_history()).to_json()`.

    Raises:
        AssertionError: it does not; the message is Temporal's own, and names the first event that differs.
    """
    history = run if isinstance(run, WorkflowHistory) else await run.handle.fetch_history()
    replayer = Replayer(workflows=app.workflows, plugins=[LLMFlowPlugin(app)])
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure:
        raise AssertionError(f"{history.workflow_id} does not replay: {result.replay_failure}")
