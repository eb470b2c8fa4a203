"""`flow.checkpoint`: long runs continue as new without losing state."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.exceptions import ApplicationError

from llmflow.client import Run
from llmflow.dev.launch import TEST_CONFIG
from llmflow.errors import InputInvalid, PayloadTooLarge, RunNotCompleted
from llmflow.flow import checkpoints
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.contracts import DECIDE
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.usage import Usage
from tests.helpers.chains import chain
from tests.helpers.hasty import hasty_server, server_with
from tests.integration.loops import Count, Handed, Hopeless, Loop, Pair, app

ROUNDS = 16


def _answer(request: ModelRequest) -> ModelResponse:
    return ModelResponse(text="hello", model="m1", usage=Usage(input_tokens=1), reported_usd=Decimal("0.01"))


async def local_activities(run: Run[Any]) -> int:
    events = (await run.handle.fetch_history()).events
    return len([event for event in events if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED])


async def test_everything_moves_along() -> None:
    model = ScriptedProvider(_answer)
    async with hasty_server(events=30) as address, environment(app, model, address=address) as env:
        run = await env.client.start(Loop.run, Count(left=ROUNDS), id=env.id(), tags=["vip"])
        await run.handle.signal(DECIDE.name, {"approval": "end", "approved": True, "by": "ana"})

        assert await run.result() == Count(left=0, done=ROUNDS), "whoever waits for the result waits on"

        runs = await chain(env, run)
        assert len(runs) > 3
        scheduled = [name for one in runs for name in await activities_of(one)]
        assert len(set(scheduled)) == len(scheduled)
        assert len([name for name in scheduled if "complete" in name]) == len(model.requests) == ROUNDS
        looked_up = [await local_activities(one) for one in runs[:-1]]
        assert looked_up == [1, *[0] * (len(runs) - 2)], "prompts and models are those of the first run"
        assert (await run.usage()).total.usd == Decimal("0.16")
        assert (await run.status()).tags == ("vip",)
        steps = await run.steps()
        assert {step.status for step in steps} == {"completed"}
        assert len([step for step in steps if "/round" in step.path]) == ROUNDS
        assert sum(step.usage.calls for step in steps if "/" not in step.path) == ROUNDS
        assert [step.path for step in steps if "/" not in step.path] == [
            "loop",
            *(f"loop#{number}" for number in range(2, len(runs) + 1)),
        ]
        for one in runs:
            await assert_replays(one, app)


@pytest_asyncio.fixture(scope="module")
async def loops(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        yield env


async def test_until_the_history_is_long_it_costs_nothing(loops: Environment) -> None:
    run = await loops.client.start(Handed.run, "thrice", id=loops.id())
    assert await run.result() == "thrice"
    assert [event.event_id for event in (await run.handle.fetch_history()).events] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("ends", [True, False])
async def test_handlers_may_end_first_but_are_not_waited_for_for_ever(
    ends: bool,
) -> None:
    async with (
        server_with("limit.historyCount.suggestContinueAsNew=1", *TEST_CONFIG) as address,
        environment(app, ScriptedProvider([]), address=address) as env,
    ):
        run = await env.client.start(Handed.run, "wait", id=env.id())
        update = await run.handle.start_update(Handed.slow, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        if ends:
            await run.handle.signal(Handed.end)
            assert await update.result() == "heard"
        else:
            await env.skip(run, checkpoints.HANDLERS)
            with pytest.raises(WorkflowUpdateFailedError) as cut:
                await update.result()
            assert isinstance(cut.value.cause, ApplicationError)
            assert cut.value.cause.type == "AcceptedUpdateCompletedWorkflow"
        assert await run.result() == "end"
        first, _ = await chain(env, run)
        await assert_replays(first, app)


async def test_a_workflow_that_could_not_go_on_is_told_at_once(loops: Environment) -> None:
    temporal, queue = loops.client.temporal, loops.client.task_queue or ""
    run = await temporal.start_workflow(Pair.run, args=["left", "right"], id=loops.id(), task_queue=queue)
    with pytest.raises(RunNotCompleted, match="as its only input, but `run`: missing a required argument: 'right'"):
        await loops.client.run(run.id).result()


async def test_an_update_handler_is_no_place_for_it(loops: Environment) -> None:
    run = await loops.client.start(Handed.run, "wait", id=loops.id())
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await run.handle.execute_update(Handed.misplaced)
    assert isinstance(refused.value.cause, InputInvalid)
    assert "checkpoint in an update handler" in refused.value.cause.message
    await run.terminate("it was asked what it had to be")


@pytest.mark.parametrize(("size", "error"), [(0, InputInvalid), (2_000_000, PayloadTooLarge)])
async def test_a_state_that_cannot_be_sent_fails_the_run(loops: Environment, size: int, error: type[Exception]) -> None:
    run = await loops.client.start(Hopeless.run, size, id=loops.id())
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, error)
    await assert_replays(run, app)
