"""More items than one history should hold: batches of them go to children of the run."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType

from llmflow.client import Run
from llmflow.errors import BudgetExceeded, CompensationFailed, InputInvalid, RunNotCompleted, ToolRefused
from llmflow.testing import Environment, ScriptedProvider, activities_of, environment
from llmflow.types.budgets import Budget
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.usage import Usage
from tests.helpers.waiting import until
from tests.integration import fanned_thread
from tests.integration.fanned import Fan, Found, Plan, app, gate


def answer(_: ModelRequest) -> ModelResponse:
    text = Found(number=7).model_dump_json()
    return ModelResponse(text=text, model="m", usage=Usage(input_tokens=1), reported_usd=Decimal("0.01"))


@pytest.fixture(scope="module")
def model() -> ScriptedProvider:
    return ScriptedProvider(answer)


@pytest.fixture(scope="module")
async def env(temporal: str, model: ScriptedProvider) -> AsyncIterator[Environment]:
    async with environment(app, model, address=temporal) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _open_gate() -> None:
    gate.open.set()


async def family(env: Environment, run: Run[Any]) -> list[Run[Any]]:
    """The run and its children, in the order in which they were started."""
    events = (await run.handle.fetch_history()).events
    started = [event.start_child_workflow_execution_initiated_event_attributes.workflow_id for event in events]
    return [run, *(env.client.run(id) for id in started if id)]


async def names(env: Environment, run: Run[Any]) -> list[str]:
    return [one.id.removeprefix(run.id) for one in await family(env, run)]


async def test_batches_give_what_one_run_would(env: Environment) -> None:
    run = await env.client.start(
        Fan.run, Plan(items=1200, limit=100, way="module", collect=True, min_success=0.9), id=env.id()
    )
    report = await run.result()

    assert report.values == [number * 10 for number in range(1200)]
    assert await names(env, run) == [
        "",
        "/look_on[0-99]",  # the first one is small: the others use what it has pinned
        "/look_on[100-599]",
        "/look_on[600-1099]",
        "/look_on[1100-1199]",
    ]
    [step] = await run.steps()
    assert (step.path, step.done, step.total) == ("look_on", 1200, 1200)
    last = (await family(env, run))[-1]
    assert sorted(await activities_of(last))[:2] == ["look_on[1100]/look#1", "look_on[1110]/look#1"]
    [part] = await last.steps()
    assert (part.path, part.done, part.total) == ("look_on", 100, 100)
    described = await last.handle.describe()
    assert await described.static_summary() == "look_on[1100-1199]"


async def test_a_tool_is_found_by_the_children(env: Environment) -> None:
    run = await env.client.start(Fan.run, Plan(items=501, limit=500, way="tool"), id=env.id())

    assert (await run.result()).values == [number * 10 for number in range(501)]
    assert await names(env, run) == ["", "/look[0-499]", "/look[500-500]"]
    assert sorted(await activities_of((await family(env, run))[1]))[0] == "look[0]/look#1"


async def test_failures_cross_as_data(env: Environment) -> None:
    plan = Plan(items=550, limit=5, way="bug", collect=True, bad=(0, 548), busy=(0, 1, 548, 549))
    run = await env.client.start(Fan.run, plan, id=env.id())
    report = await run.result()
    assert report.failures == [
        "0: ApplicationError: ValueError: 0 is odd",
        "548: ApplicationError: ValueError: 548 is odd",
    ]

    run = await env.client.start(Fan.run, plan.model_copy(update={"way": "method"}), id=env.id())
    report = await run.result()
    assert report.values == [number * 10 for number in range(550) if number not in (0, 548)]
    assert report.failures == ["0: ToolRefused: 0 is bad", "548: ToolRefused: 548 is bad"]


async def test_what_cannot_be_undone_in_a_child_is_no_data(env: Environment) -> None:
    run = await env.client.start(Fan.run, Plan(items=501, limit=500, way="saga", collect=True, bad=(7,)), id=env.id())
    with pytest.raises(RunNotCompleted, match="could not be undone") as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, CompensationFailed)
    assert "NOT undone" in failed.value.__cause__.detail.compensations[0]
    child = (await family(env, run))[1]
    assert await activities_of(child) == ["book[7]/glance/glance#1", "book[7]/glance/undo/look#1"]


async def test_the_first_failure_in_a_child_ends_the_others(env: Environment) -> None:
    gate.open.clear()
    plan = Plan(items=1008, limit=8, bad=(508,), held=(8, 9), busy=(8, 9, 508))  # in two batches
    run = await env.client.start(Fan.run, plan, id=env.id())

    with pytest.raises(RunNotCompleted, match="508 is bad") as failed:
        await run.result()
    assert gate.inside == 0
    assert isinstance(failed.value.__cause__, ToolRefused)
    states = [(await one.status()).state for one in await family(env, run)]
    assert states == ["failed", "completed", "cancelled", "failed"]


async def test_a_cancelled_run_waits_for_its_children(env: Environment) -> None:
    gate.open.clear()
    held = tuple(range(8, 1008))
    run = await env.client.start(Fan.run, Plan(items=1008, limit=8, held=held, busy=held), id=env.id())

    async def inside() -> bool:
        return gate.inside == 4  # two of each batch: the limit holds for all, had there been four

    await until(inside)
    await run.cancel()
    with pytest.raises(RunNotCompleted, match="was cancelled"):
        await run.result()
    assert gate.inside == 0
    states = [(await one.status()).state for one in await family(env, run)]
    assert states == ["cancelled", "completed", "cancelled", "cancelled"]


async def test_a_run_that_is_cancelled_while_a_child_begins_waits_for_it(env: Environment) -> None:
    gate.open.clear()
    plan = Plan(items=501, limit=8, way="late", held=tuple(range(501)))
    run = await env.client.start(Fan.run, plan, id=env.id())
    await asyncio.to_thread(fanned_thread.held.wait)
    await run.cancel()
    fanned_thread.release.set()  # the server hears of the child after the cancellation
    with pytest.raises(RunNotCompleted, match="was cancelled"):
        await run.result()
    assert [(await one.status()).state for one in await family(env, run)] == ["cancelled", "cancelled"]
    assert gate.inside == 0


async def test_totals_and_pins_reach_through(env: Environment) -> None:
    plan = Plan(items=1008, limit=8, way="model", busy=(*range(8), *range(490, 512)))
    run = await env.client.start(Fan.run, plan, id=env.id(), tags=["vip"])
    assert (await run.result()).values == [7] * 1008
    usage = await run.usage()
    assert (usage.total.calls, usage.total.usd) == (30, Decimal("0.30"))
    assert [totals.calls for totals in usage.by_prompt.values()] == [30]
    [step] = await run.steps()
    assert step.usage.calls == 30
    marker = EventType.EVENT_TYPE_MARKER_RECORDED
    resolved = [
        sum(event.event_type == marker for event in (await one.handle.fetch_history()).events)
        for one in await family(env, run)
    ]
    assert resolved == [0, 1, 0, 0]


async def test_a_budget_holds_for_all_and_what_was_spent_is_known(env: Environment, model: ScriptedProvider) -> None:
    before, budget = len(model.requests), Budget(usd=Decimal("0.12"), unpriced="allow")
    run = await env.client.start(Fan.run, Plan(items=501, limit=5, way="model"), id=env.id(), budget=budget)
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, BudgetExceeded)
    paid = len(model.requests) - before
    assert 12 <= paid < 12 + 5  # the cost of in-flight calls is unknown
    assert (await run.usage()).total.calls == paid


async def test_a_child_that_is_full_hands_back_the_rest(env: Environment) -> None:
    plan = Plan(items=504, limit=4, size=100_000, busy=tuple(range(24)))
    run = await env.client.start(Fan.run, plan, id=env.id())
    assert (await run.result()).values == [number * 10 for number in range(504)]
    # 1.4 MB of results is what one payload may have.
    assert await names(env, run) == ["", "/look_at[0-3]", "/look_at[4-503]", "/look_at[17-503]"]


async def test_a_function_that_no_child_can_find(env: Environment) -> None:
    run = await env.client.start(Fan.run, Plan(items=501, way="lambda", busy=()), id=env.id())
    assert len((await run.result()).values) == 501
    assert await names(env, run) == [""]  # no more than it can hold itself

    run = await env.client.start(Fan.run, Plan(items=2001, way="lambda"), id=env.id())
    with pytest.raises(RunNotCompleted, match="give a method of the workflow or a function of a module") as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, InputInvalid)
    assert await activities_of(run) == []


async def test_an_item_cannot_continue_its_child_as_new(env: Environment) -> None:
    run = await env.client.start(Fan.run, Plan(items=501, limit=5, way="early", bad=(2,)), id=env.id())
    with pytest.raises(RunNotCompleted, match="only the workflow itself may do that, not an item") as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, InputInvalid)
