"""What Python allows in workflow code and Temporal answers in its own way. `docs/failures.md` warns of each."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from llmflow import flow
from llmflow.app import App
from llmflow.errors import RequestRejected
from llmflow.testing import Environment, assert_replays, environment
from llmflow.types.models import ModelRequest, ModelResponse


class Vendor:
    """Refuses the bad, and says nothing to everybody else."""

    async def complete(self, request: ModelRequest) -> ModelResponse:
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
        if trap == "task group":
            async with asyncio.TaskGroup() as group:  # noqa: TID251  this is the trap
                group.create_task(flow.complete("traps/say", {"text": "bad"}))
        if trap == "bug":
            raise KeyError("a bug")
        try:
            if trap == "timeout":
                async with asyncio.timeout(1):
                    await flow.complete("traps/say", {"text": "good"})
            await asyncio.wait_for(flow.complete("traps/say", {"text": "good"}), timeout=1)
        except ActivityError as error:
            return f"cancelled: {is_cancelled_exception(error)}"
        return "no trap"


@pytest.fixture(scope="module")
async def env(temporal: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Environment]:
    prompts: Path = tmp_path_factory.mktemp("prompts")
    (prompts / "say.prompt").write_text("---\nmodel: fast\n---\nuser:\n{{ text }}\n")
    app = App(name="traps", workflows=[Trapped], prompts=prompts)
    async with environment(app, Vendor(), address=temporal) as opened:
        yield opened


@pytest.mark.parametrize(("trap", "says"), [("task group", "unhandled errors in a TaskGroup"), ("bug", "a bug")])
async def test_a_task_group_and_a_bug_leave_the_run_open(env: Environment, trap: str, says: str) -> None:
    run = await env.client.start(Trapped.run, trap, id=env.id())
    failure = ""
    while not failure:
        events = (await run.handle.fetch_history()).events
        failed = [event for event in events if event.HasField("workflow_task_failed_event_attributes")]
        failure = failed[0].workflow_task_failed_event_attributes.failure.message if failed else ""
        await asyncio.sleep(0.05)
    assert says in failure
    assert (await run.status()).state == "running"
    await run.terminate("seen enough")


@pytest.mark.parametrize("trap", ["timeout", "wait_for"])
async def test_a_time_limit_around_a_call_is_a_cancelled_activity(env: Environment, trap: str) -> None:
    run = await env.client.start(Trapped.run, trap, id=env.id())
    assert await run.result() == "cancelled: True"
    await assert_replays(run, env.app)
