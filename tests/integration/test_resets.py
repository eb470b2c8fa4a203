"""`temporal workflow reset`: calls have the keys that they had, and the decisions of people count again."""

import uuid
from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.worker import Worker

from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from tests.helpers.resets import reset_before, reset_to
from tests.helpers.waiting import until
from tests.integration.resetting import KEYS, Claims, InFlight, Parent, app, letter
from tests.integration.test_approvals import asked, update, yes


@pytest_asyncio.fixture(scope="module")
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider([]), address=temporal) as opened:
        yield opened


async def test_all_is_done_again_with_the_keys_of_before(env: Environment) -> None:
    queue = f"letters-{uuid.uuid4()}"
    async with Worker(env.client.temporal, task_queue=queue, activities=[letter]):
        run = await env.client.start(Claims.run, queue, id=env.id())
        await asked(run, "pay")
        await update(run, yes("pay"))
        await run.handle.signal("llmflow.decide", yes("pay", by="bo"))
        keys = await run.result()
        again = await reset_before(env.client, run, "reach#1")
        assert await again.result() == keys
    flat = [key for some in keys for key in some]
    assert len(set(flat)) == len(flat)
    here = f"{run.id}/{run.run_id}"
    assert keys[0] == [f"C0 {here}/settle[0]/pay#1", f"{here}/settle/Claims#1/2"]
    assert keys[1] == [f"C500 {here}/settle[500]/pay#1", f"{here}/settle/Claims#2/2"]
    assert keys[2] == [f"C7 {here}/Settle#1/pay#1", f"{here}/Settle#1/2"]
    assert keys[3][0] == f"saga {here}/pay#do"
    assert await activities_of(again) == await activities_of(run)
    await assert_replays(again, app)


async def test_a_call_in_flight_keeps_its_key(env: Environment) -> None:
    run = await env.client.start(InFlight.run, id=env.id())
    await until(lambda: _done(env, run.id, 2))
    tasks = [one.event_id for one in (await run.handle.fetch_history()).events if one.event_type == _TASK]
    again = await reset_to(env.client, run, tasks[-1])
    assert await again.result() == f"{run.id}/{run.run_id}/slow#1"
    assert KEYS[run.id] == [await again.result()] * 2
    await assert_replays(again, app)


async def test_a_child_that_is_retried_or_continues_as_new_has_new_keys(env: Environment) -> None:
    run = await env.client.start(Parent.run, id=env.id())
    last = await run.result()
    first, second, third = KEYS[f"{run.id}-child"]
    assert first == f"{run.id}/{run.run_id}/Again#1/noted#1"
    assert third == last
    assert len({first, second, third}) == 3
    await assert_replays(run, app)


_TASK = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED


async def _done(env: Environment, id: str, count: int) -> bool:
    events = (await env.client.run(id).handle.fetch_history()).events
    ended = [one.event_type for one in events].count(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
    return ended == count and events[-1].event_type == _TASK and bool(KEYS[id])
