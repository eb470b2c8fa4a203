"""Results of traps that Python allows in workflow code. `docs/failures.md` has each."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.worker import Worker

from llmflow import flow
from llmflow.app import App
from llmflow.client import Client, Run, connect
from llmflow.errors import RequestRejected, RunNotCompleted
from llmflow.plugin import LLMFlowPlugin
from llmflow.testing import Environment, activities_of, assert_replays, environment
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink
from tests.helpers.waiting import until


class Vendor:
    """Refuses the bad, and says nothing to everybody else."""

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        if "bad" in request.messages[-1].text:
            raise RequestRejected("no")
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    async def close(self) -> None:
        """Nothing is open."""


@workflow.defn
class Trapped:
    """Steps into the trap of its input."""

    @workflow.run
    async def run(self, trap: str) -> str:
        if trap == "bug":
            raise KeyError("a bug")
        if trap == "sleep":
            await asyncio.wait_for(workflow.sleep(60), timeout=1)
        if trap.startswith("task group"):
            async with asyncio.TaskGroup() as group:  # noqa: TID251  this is the trap
                group.create_task(self.say("good"))
                group.create_task(self.say("bad" if trap == "task group" else "good"))
        if trap == "crowd":
            await flow.fan_out(["good", "sleep", "good", "sleep", "good", "sleep", "bad"], self.say_or_sleep)
        try:
            if trap == "timeout":
                async with asyncio.timeout(1):
                    await self.say("good")
            if trap == "fan_out":
                async with asyncio.timeout(1):
                    await flow.fan_out(["good", "good"], self.say)
            await asyncio.wait_for(self.say("good"), timeout=1)
        except TimeoutError:
            return "time is up"
        return "no trap"

    @workflow.update
    async def change(self) -> None:
        """Step into the trap in a handler."""
        async with asyncio.TaskGroup() as group:  # noqa: TID251  this is the trap
            group.create_task(self.say("bad"))

    async def say_or_sleep(self, text: str) -> None:
        await (workflow.sleep(60) if text == "sleep" else self.say(text))

    async def say(self, text: str) -> str:
        return (await flow.complete("traps/say", {"text": text})).output


@workflow.defn
class Hasty:
    """Ends with calls in flight."""

    @workflow.run
    async def run(self, trap: str) -> str:
        if trap == "gather":
            await asyncio.gather(self.say("good"), self.say("bad"), self.say("good"))
        left = asyncio.create_task(self.say("good"))
        await workflow.sleep(0.1)
        return f"done: {left.done()}"

    async def say(self, text: str) -> str:
        return (await flow.complete("traps/say", {"text": text})).output


@workflow.defn
class Outside:
    """Does what only a tool can."""

    @workflow.run
    async def run(self, trap: str) -> None:
        if trap == "thread":
            await asyncio.to_thread(str)
        await asyncio.create_subprocess_exec("true")


@pytest.fixture(scope="module")
async def env(temporal: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Environment]:
    prompts: Path = tmp_path_factory.mktemp("prompts")
    (prompts / "say.prompt").write_text("---\nmodel: fast\n---\nuser:\n{{ text }}\n")
    app = App(name="traps", workflows=[Hasty, Outside, Trapped], prompts=prompts)
    async with environment(app, Vendor(), address=temporal) as opened:
        yield opened


async def test_a_bug_leaves_the_run_open(temporal: str) -> None:
    connected = await connect(address=temporal, plugin=LLMFlowPlugin())
    queue = f"traps-{uuid.uuid4()}"
    async with Worker(connected.temporal, task_queue=queue, workflows=[Trapped]):
        run = await Client(connected.temporal, queue).start(Trapped.run, "bug", id=queue)
        failure = ""
        while not failure:
            events = (await run.handle.fetch_history()).events
            failed = [event for event in events if event.HasField("workflow_task_failed_event_attributes")]
            failure = failed[0].workflow_task_failed_event_attributes.failure.message if failed else ""
            await asyncio.sleep(0.05)
        assert "a bug" in failure
        assert (await run.status()).state == "running"
        await until(lambda: _is_stuck(run, "KeyError: 'a bug'"))
        await run.terminate("seen enough")
    assert (await run.status()).stuck is None


async def test_a_bug_fails_the_run_of_a_test(env: Environment) -> None:
    run = await env.client.start(Trapped.run, "bug", id=env.id())
    with pytest.raises(RunNotCompleted, match="KeyError: 'a bug'"):
        await run.result()


@pytest.mark.parametrize("trap", ["thread", "process"])
async def test_threads_and_processes_are_not_there_for_workflow_code(env: Environment, trap: str) -> None:
    run = await env.client.start(Outside.run, trap, id=env.id())
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    assert getattr(failed.value.__cause__, "type", None) == "NotImplementedError", "a bug, which repaired code mends"


async def _is_stuck(run: Run[Any], why: str) -> bool:
    return (await run.status()).stuck == why


@pytest.mark.parametrize("trap", ["timeout", "wait_for", "fan_out"])
async def test_a_time_limit_around_a_call_is_a_timeout(env: Environment, trap: str) -> None:
    run = await env.client.start(Trapped.run, trap, id=env.id())
    assert await run.result() == "time is up"
    await assert_replays(run, env.app)


async def test_a_time_limit_that_nobody_catches_fails_the_run(env: Environment) -> None:
    run = await env.client.start(Trapped.run, "sleep", id=env.id())
    with pytest.raises(RunNotCompleted, match="failed: TimeoutError: a timeout in the workflow's code is over"):
        await run.result()
    await assert_replays(run, env.app)


async def test_a_failure_in_a_task_group_is_raised_as_it_is(env: Environment) -> None:
    run = await env.client.start(Trapped.run, "task group", id=env.id())
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, RequestRejected)
    await assert_replays(run, env.app)


@pytest.mark.parametrize(
    ("trap", "ends", "calls"), [("gather", "RequestRejected: no", 3), ("left behind", "done: False", 1)]
)
async def test_a_run_ends_after_all_that_is_under_way(env: Environment, trap: str, ends: str, calls: int) -> None:
    run = await env.client.start(Hasty.run, trap, id=env.id())
    try:
        assert await run.result() == ends
    except RunNotCompleted as failed:
        assert ends in failed.message

    kinds = Counter(event.event_type for event in (await run.handle.fetch_history()).events)
    assert kinds[EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED] == calls
    assert kinds[EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED] == max(calls - 1, 1)
    await assert_replays(run, env.app)


async def test_a_fan_out_cancels_its_branches_in_the_same_order_on_replay(env: Environment) -> None:
    run = await env.client.start(Trapped.run, "crowd", id=env.id())
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, RequestRejected)
    # Each task was a replay. Where the order was another one, a task failed.
    events = (await run.handle.fetch_history()).events
    assert not [event for event in events if event.HasField("workflow_task_failed_event_attributes")]
    await assert_replays(run, env.app)


async def test_a_task_group_is_cancelled_with_its_run(env: Environment) -> None:
    run = await env.client.start(Trapped.run, "task group, cancelled", id=env.id())
    while len(await activities_of(run)) < 2:
        await asyncio.sleep(0.05)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await run.handle.execute_update("change")
    assert isinstance(refused.value.cause, RequestRejected)
    await run.cancel()
    with pytest.raises(RunNotCompleted, match="was cancelled"):
        await run.result()
    await assert_replays(run, env.app)
