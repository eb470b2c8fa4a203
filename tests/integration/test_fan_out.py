"""One function for many items at once: order, width, failures, cancellation."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from llmflow.client import Run
from llmflow.errors import InputInvalid, RunNotCompleted, ToolRefused
from llmflow.flow.run.admission import MAX_PENDING
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from tests.helpers.waiting import until
from tests.integration.fanned import Fan, Found, Plan, Report, Sum, app, gate


@pytest.fixture(scope="module")
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider(lambda _: Found(number=7)), address=temporal) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _open_gate() -> None:
    gate.open.set()


async def ran(env: Environment, plan: Plan) -> tuple[Report, Run[Any]]:
    run = await env.client.start(Fan.run, plan, id=env.id())
    report = await run.result()
    await assert_replays(run, app)
    return report, run


async def all_inside(count: int) -> None:
    async def inside() -> bool:
        return gate.inside == count

    await until(inside)


async def test_results_have_the_order_of_the_items_and_calls_have_their_numbers(env: Environment) -> None:
    report, run = await ran(env, Plan(items=6, limit=4))

    assert report.values == [0, 10, 20, 30, 40, 50]
    assert sorted(await activities_of(run)) == [f"look_at[{number}]/look#1" for number in range(6)]
    [step] = await run.steps()
    assert (step.path, step.status, step.done, step.total) == ("look_at", "completed", 6, 6)


async def test_a_tool_is_called_as_an_activity(env: Environment) -> None:
    report, run = await ran(env, Plan(items=3, way="tool"))

    assert report.values == [0, 10, 20]
    assert sorted(await activities_of(run)) == [f"look[{number}]/look#1" for number in range(3)]


async def test_a_tool_that_is_called_as_a_function_says_how_to_call_it(env: Environment) -> None:
    run = await env.client.start(Fan.run, Plan(items=3, way="direct"), id=env.id())

    with pytest.raises(RunNotCompleted, match=r"`await flow\.call_tool\(look, \.\.\.\)`") as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, InputInvalid)
    assert await activities_of(run) == []


async def test_never_more_than_the_limit_are_under_way(env: Environment) -> None:
    gate.open.clear()
    run = await env.client.start(Fan.run, Plan(items=9, limit=3, held=tuple(range(9))), id=env.id())
    await all_inside(3)
    # Nothing has ended, so nothing more can be scheduled: these are the first ones, in their order.
    assert await activities_of(run) == [f"look_at[{number}]/look#1" for number in range(3)]
    gate.open.set()
    assert (await run.result()).values == [number * 10 for number in range(9)]
    await assert_replays(run, app)


async def test_no_run_has_more_calls_under_way_than_temporal_allows(env: Environment) -> None:
    gate.open.clear()
    plan = Plan(items=5, limit=5, held=tuple(range(5)), others=MAX_PENDING - 3)
    run = await env.client.start(Fan.run, plan, id=env.id())
    await all_inside(3)
    assert len(await activities_of(run)) == 3
    gate.open.set()
    assert (await run.result()).values == [number * 10 for number in range(5)]


async def test_the_first_failure_ends_the_others_and_is_raised_as_it_is(env: Environment) -> None:
    gate.open.clear()
    run = await env.client.start(Fan.run, Plan(bad=(2,), held=(0, 1, 3)), id=env.id())

    with pytest.raises(RunNotCompleted, match="2 is bad") as failed:
        await run.result()
    assert gate.inside == 0  # they were waited for
    assert isinstance(failed.value.__cause__, ToolRefused)
    assert len(await activities_of(run)) == 4
    [step] = await run.steps()
    assert (step.status, step.error) == ("failed", "ToolRefused: 2 is bad")
    await assert_replays(run, app)


@pytest.mark.parametrize("min_success", [None, 8, 0.8])
async def test_failures_are_data(env: Environment, min_success: float | None) -> None:
    report, run = await ran(env, Plan(collect=True, bad=(3, 5), min_success=min_success))

    assert report.values == [0, 10, 20, 40, 60, 70, 80, 90]
    assert report.failures == ["3: ToolRefused: 3 is bad", "5: ToolRefused: 5 is bad"]
    [step] = await run.steps()
    assert (step.status, step.done, step.failed) == ("completed", 10, 2)


@pytest.mark.parametrize("min_success", [9, 0.81])
async def test_too_few_successes_end_it_before_the_rest_is_paid(env: Environment, min_success: float) -> None:
    report, run = await ran(env, Plan(limit=1, collect=True, bad=(1, 3), min_success=min_success))

    assert report.error == "2 of 10 items failed (2 ToolRefused), but 9 must succeed; look_at[1]: ToolRefused: 1 is bad"
    assert report.told == ("look_at[1]: ToolRefused: 1 is bad", "look_at[3]: ToolRefused: 3 is bad")
    assert len(await activities_of(run)) == 4


async def test_an_exception_of_the_users_is_data_too(env: Environment) -> None:
    report, _ = await ran(env, Plan(way="bug", items=3, collect=True, bad=(1,)))
    assert (report.values, report.failures) == ([0, 20], ["1: ValueError: 1 is odd"])


async def test_a_failure_in_a_task_group_of_an_item_is_that_failure(env: Environment) -> None:
    report, _ = await ran(env, Plan(way="group", items=2, collect=True, bad=(1,)))
    assert (report.values, report.failures) == ([0], ["1: ToolRefused: 1 is bad"])


async def test_a_cancelled_run_waits_for_its_items(env: Environment) -> None:
    gate.open.clear()
    run = await env.client.start(Fan.run, Plan(held=tuple(range(10))), id=env.id())
    await all_inside(4)
    await run.cancel()

    with pytest.raises(RunNotCompleted, match="was cancelled"):
        await run.result()
    assert gate.inside == 0
    assert [step.status for step in await run.steps()] == ["cancelled"]
    await assert_replays(run, app)


async def test_fan_outs_nest_and_know_what_they_cost(env: Environment) -> None:
    report, run = await ran(env, Plan(items=2, way="nested"))
    assert report.values == [10, 30]
    assert sorted(await activities_of(run))[2] == "look_around[1]/around/look_at[0]/look#1"
    paths = [step.path for step in await run.steps()]
    assert paths[0] == "look_around"
    assert sorted(paths[1:]) == sorted(
        f"look_around[{number}]/{inner}" for number in (0, 1) for inner in ("around", "around/look_at")
    )

    report, run = await ran(env, Plan(items=3, way="model"))
    [step] = await run.steps()
    assert (step.path, step.usage.calls) == ("ask", 3)
    assert (await run.usage()).total.calls == 3


async def test_an_item_may_continue_the_run(env: Environment) -> None:
    run = await env.client.start(Fan.run, Plan(way="early", bad=(2,)), id=env.id())
    begun = run.run_id
    assert (await run.result()).values == []
    assert (await env.client.run(run.id).status()).run_id != begun


@pytest.mark.parametrize(("items", "steps"), [(1, ["one"]), (3, ["one", "add"]), (7, ["one", "add", "add#2"])])
async def test_results_are_reduced_until_one_is_left(env: Environment, items: int, steps: list[str]) -> None:
    run = await env.client.start(Sum.run, Plan(items=items), id=env.id())
    assert await run.result() == sum(range(items)) * 10
    assert [step.path for step in await run.steps()] == steps
    await assert_replays(run, app)


async def test_what_succeeded_is_reduced(env: Environment) -> None:
    run = await env.client.start(Sum.run, Plan(items=4, collect=True, bad=(0, 3)), id=env.id())
    assert await run.result() == 30


async def test_nothing_cannot_be_reduced(env: Environment) -> None:
    run = await env.client.start(Sum.run, Plan(items=2, collect=True, bad=(0, 1)), id=env.id())
    with pytest.raises(RunNotCompleted, match=r"2 of 2 items failed \(2 ToolRefused\), so there is nothing to reduce"):
        await run.result()
