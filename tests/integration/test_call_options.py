"""`CallOptions` reach Temporal as they are; a tool may have a task queue of its own, and a source several tools."""

from datetime import timedelta

import pytest

from llmflow.app import App
from llmflow.errors import ConfigInvalid, RunNotCompleted, ToolRefused
from llmflow.testing import ScriptedProvider, activities_of, environment
from llmflow.types.messages import ToolCall
from llmflow.types.models import ModelResponse
from llmflow.types.usage import Usage
from tests.integration.queued import GPU, Queued, Stocked, Warehouse, app


async def test_a_tool_runs_on_its_own_queue_with_its_own_options(temporal: str) -> None:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        run = await env.client.start(Queued.run, "a text", id=env.id())
        queues = await run.result()
        history = await run.handle.fetch_history()

    assert queues[0] == GPU
    assert queues[1] == history.events[0].workflow_execution_started_event_attributes.task_queue.name
    assert await activities_of(run) == ["embed#1", "embed#2"]
    first, second = (
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    )
    for scheduled in (first, second):  # the second differs in its queue alone
        assert scheduled.start_to_close_timeout.ToTimedelta() == timedelta(minutes=3)
        assert scheduled.schedule_to_close_timeout.ToTimedelta() == timedelta(minutes=7)
        assert scheduled.heartbeat_timeout.ToTimedelta() == timedelta(seconds=5)
        assert scheduled.retry_policy.maximum_attempts == 2
        assert scheduled.retry_policy.maximum_interval.ToTimedelta() == timedelta(seconds=3)
        assert scheduled.priority.priority_key == 2
    assert [one.task_queue.name for one in (first, second)] == queues


def asks_for(name: str, arguments: str) -> ScriptedProvider:
    call = ToolCall(id="1", name=name, arguments=arguments)
    usage = Usage(input_tokens=10, output_tokens=5)
    return ScriptedProvider([ModelResponse(text="", model="script", usage=usage, tool_calls=(call,))])


async def test_a_source_serves_several_tools(temporal: str) -> None:
    model = asks_for("stock", '{"item": "bolt"}')
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Stocked.run, "bolt", id=env.id())
        assert await run.result() == {"item": "bolt", "stock": 3}
        assert [spec.name for spec in model.requests[0].tools] == ["stock"]
        assert (await activities_of(run))[0] == "complete#1"


async def test_a_tool_of_a_source_refuses(temporal: str) -> None:
    async with environment(app, asks_for("shelf", "{}"), address=temporal) as env:
        run = await env.client.start(Stocked.run, "bolt", id=env.id())
        with pytest.raises(RunNotCompleted) as failed:
            await run.result()
    assert "shelf of what?" in str(failed.value)
    refusal = failed.value.__cause__
    assert isinstance(refusal.__cause__ if refusal else None, ToolRefused)


def test_two_sources_with_a_tool_of_one_name() -> None:
    with pytest.raises(ConfigInvalid, match="two tools of one name: shelf, stock"):
        App(name="twice", workflows=[Queued], tools=[Warehouse(), Warehouse()])
