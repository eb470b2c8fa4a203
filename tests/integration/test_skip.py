"""`Environment.skip`: what it moves, what it does not, and what it says."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from llmflow.errors import ConfigInvalid, InputInvalid, RunNotCompleted, RunNotFound
from llmflow.testing import Environment, ScriptedProvider, environment
from llmflow.testing.time import skip
from tests.helpers.chains import chain
from tests.helpers.hasty import server_with
from tests.integration.clocks import DAY, HOUR, Calls, Hours, Parent, app


@pytest.fixture(scope="module")
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider([]), address=temporal) as opened:
        yield opened


async def test_each_timer_fires_in_its_turn_and_none_too_early(env: Environment) -> None:
    run = await env.client.start(Hours.run, 302, id=env.id())
    await env.skip(run, 300.5 * HOUR)
    assert await run.handle.query(Hours.count) == 300
    await env.skip(run, HOUR)
    assert await run.handle.query(Hours.count) == 301
    assert (await run.status()).state == "running"
    await env.skip(run, HOUR)
    assert timedelta(hours=302) <= await run.result() < timedelta(hours=303)


async def test_runs_that_continue_have_one_clock(env: Environment) -> None:
    run = await env.client.start("Days", 5, id=env.id())
    await env.skip(run, 2.5 * DAY)
    assert len(await chain(env, run)) == 3
    await env.skip(run, 2.5 * DAY)
    assert 120 <= await env.client.run(run.id).result() < 121


async def test_days_before_the_next_attempt_pass(env: Environment) -> None:
    run = await env.client.start(Calls.run, "closed_today", id=env.id())
    await env.skip(run, 2 * DAY)
    said, hours = await run.result()
    assert (said, round(hours)) == ("open", 24)


async def test_a_call_that_is_running_is_waited_for(env: Environment) -> None:
    run = await env.client.start(Calls.run, "dig", id=env.id())
    await env.skip(run, 2 * DAY)
    said, hours = await run.result()
    assert (said, round(hours)) == ("found", 0)


async def test_a_delayed_start_and_the_timeout_of_a_run(env: Environment) -> None:
    run = await env.client.start(Hours.run, 50, id=env.id(), start_delay=DAY, execution_timeout=3 * DAY)
    await env.skip(run, 30.5 * HOUR)
    assert await run.handle.query(Hours.count) == 6
    await env.skip(run, 2 * DAY)
    with pytest.raises(RunNotCompleted, match="ran out of time"):
        await run.result()


async def test_a_child_has_a_clock_of_its_own(env: Environment) -> None:
    run = await env.client.start(Parent.run, 30, id=env.id())
    with pytest.raises(AssertionError) as stands:
        await skip(env.client.temporal, run, 2 * DAY, within=timedelta(seconds=3))
    assert str(stands.value) == (
        f"2 d did not pass for run {run.id!r} within 3 s, because a run's clock pauses while it waits for "
        f"anything but timers: its child '{run.id}-child' is open: skip the time of that one"
    )

    child = env.client.run(f"{run.id}-child")
    await env.skip(child, 30.5 * HOUR)
    assert (await child.status()).state == "completed"
    assert await run.result() == "in time"


async def test_no_other_clock_moves(env: Environment) -> None:
    moved, other = [await env.client.start(Hours.run, 30, id=env.id()) for _ in range(2)]
    await env.skip(moved, 20.5 * HOUR)
    assert await other.handle.query(Hours.count) == 0
    await moved.cancel()
    await other.cancel()


async def test_a_run_that_has_ended_has_no_time_left(env: Environment) -> None:
    run = await env.client.start(Hours.run, 0, id=env.id())
    assert await run.result() == timedelta(0)
    await env.skip(run, DAY)


async def test_an_unknown_run(env: Environment) -> None:
    with pytest.raises(RunNotFound, match="there is no run 'nobody' whose time could be skipped"):
        await env.skip(env.client.run("nobody"), DAY)


@pytest.mark.parametrize("by", [3, timedelta(0), -DAY, 40_000 * DAY, None])
async def test_what_is_no_length_of_time(env: Environment, by: timedelta) -> None:
    with pytest.raises(InputInvalid, match="by="):
        await env.skip(env.client.run("nobody"), by)


async def test_a_server_that_cannot() -> None:
    async with (
        server_with("frontend.WorkflowTimeSkippingEnabled=false") as address,
        environment(app, ScriptedProvider([]), address=address) as env,
    ):
        run = await env.client.start(Hours.run, 1, id=env.id())
        with pytest.raises(ConfigInvalid, match=r"needs server 1\.32 or newer .*`frontend\.WorkflowTimeSkippingEn"):
            await env.skip(run, DAY)
        await run.terminate("seen enough")
