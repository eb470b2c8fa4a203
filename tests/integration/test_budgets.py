"""A budget holds for a run with its children and the runs that continue it, and what is refused is not asked."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select
from temporalio.client import (
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionResult,
    ScheduleOverlapPolicy,
    ScheduleSpec,
)

from llmflow.client import StartOptions
from llmflow.errors import BudgetExceeded, RunNotCompleted
from llmflow.stores.budgets.balances import put_budget, raise_budget
from llmflow.stores.database import Database
from llmflow.stores.schema import budgets
from llmflow.testing import Environment, ScriptedProvider, assert_replays, environment
from llmflow.types.budgets import Budget, BudgetName
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink
from llmflow.types.usage import Usage
from tests.helpers.waiting import until
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask
from tests.integration.hello.workflows import Asked, Family, Parallel, Typed

COSTS = Decimal("0.10")  # a call, which is also what it is expected to cost


def _answer(request: ModelRequest) -> ModelResponse:
    text = '{"text": "hello", "warmth": 7}'
    return ModelResponse(text=text, model="m1", usage=Usage(input_tokens=1), reported_usd=COSTS)


@pytest.fixture
def model() -> ScriptedProvider:
    return ScriptedProvider(_answer)


@pytest.fixture
async def env(temporal: str, tmp_path: Path, model: ScriptedProvider) -> AsyncIterator[Environment]:
    prices = tmp_path / "prices.yaml"
    prices.write_text("scripted:*: {input: 0, output: 24.4140625}\n")  # 4,096 tokens of an answer: $0.10
    async with environment(replace(app, prices=prices), model, address=temporal) as env:
        yield env


async def test_children_and_continued_runs_spend_from_one_budget(env: Environment, model: ScriptedProvider) -> None:
    run = await env.client.start(Family.run, True, id=env.id(), budget=Budget(usd=Decimal("0.25")))
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()

    assert isinstance(failed.value.__cause__, BudgetExceeded)
    assert f"for run {run.id}: $0.20 is spent, and" in str(failed.value), "also where a continued run or a child asked"
    assert len(model.requests) == 2  # the run's own and the child's; the run that continued it was refused
    await assert_replays(run, app)


async def test_people_see_and_raise_the_budget_of_a_run(env: Environment, model: ScriptedProvider) -> None:
    run = await env.client.start(Parallel.run, ["a", "b", "c"], id=env.id(), budget=Budget(usd="0.20"))
    with pytest.raises(RunNotCompleted, match=r"budget of \$0\.20 for run"):
        await run.result()
    found = await run.budget()
    assert found is not None
    assert (found.name, found.usd, found.spent) == (run.id, Decimal("0.2"), Decimal("0.2"))
    assert (found.left, found.holds) == (0, ())

    assert env.client.store
    async with Database(env.client.store) as database:
        await raise_budget(database, BudgetName(scope="run", name=run.id), Decimal("0.10"))
    raised = await run.budget()
    assert raised and raised.left == Decimal("0.10")


async def test_a_budget_of_a_tenant_holds_for_runs_without_one(
    temporal: str, tmp_path: Path, model: ScriptedProvider
) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("scripted:*: {input: 0, output: 24.4140625}\n")
    store = str(tmp_path / "llmflow.db")
    async with Database(store) as database:
        await put_budget(database, BudgetName(scope="tenant", name="acme", period="day"), Budget(usd="0.15"))
    async with environment(replace(app, prices=prices), model, address=temporal, store=store) as env:
        run = await env.client.start(Parallel.run, ["a", "b"], id=env.id(), tenant="acme")
        with pytest.raises(RunNotCompleted, match=r"budget of \$0\.15 a day for tenant acme: \$0\.10 is spent"):
            await run.result()
        assert len(model.requests) == 1
        assert await run.budget() is None
        other = await env.client.start(Parallel.run, ["a", "b"], id=env.id(), tenant="other")
        assert len(await other.result()) == 2


async def test_branches_at_once_stay_inside(env: Environment, model: ScriptedProvider) -> None:
    run = await env.client.start(Parallel.run, ["a", "b", "c"], id=env.id(), budget=Budget(usd=Decimal("0.25")))
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, BudgetExceeded)
    assert len(model.requests) == 2

    model.requests.clear()
    roomy = await env.client.start(Parallel.run, ["a", "b", "c"], id=env.id(), budget=Budget(usd=Decimal("0.30")))
    assert len(await roomy.result()) == 3
    assert (await roomy.usage()).total.usd == Decimal("0.30")


async def test_each_run_of_a_schedule_has_the_whole_budget(env: Environment, model: ScriptedProvider) -> None:
    options: StartOptions = {"id": env.id(), "budget": Budget(usd=Decimal("0.25")), "tags": ["nightly"]}
    action = env.client.schedule_action(Parallel.run, ["a", "b"], **options)
    schedule = await env.client.temporal.create_schedule(env.id(), Schedule(action=action, spec=ScheduleSpec()))
    try:
        for number in (1, 2):
            await schedule.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL)

            async def started(number: int = number) -> Sequence[ScheduleActionResult]:
                return (await schedule.describe()).info.recent_actions[number - 1 :]

            [one] = await until(started)
            assert isinstance(one.action, ScheduleActionExecutionStartWorkflow)
            run = env.client.run(one.action.workflow_id, one.action.first_execution_run_id)
            assert len(await run.result()) == 2
            assert (await run.status()).tags == ("nightly",)
    finally:
        await schedule.delete()
    run = await env.client.start(Parallel.run, ["a", "b"], **options)  # the same options start a run, too
    await run.result()
    assert len(model.requests) == 6


async def test_each_run_of_a_cron_schedule_has_the_whole_budget(env: Environment, model: ScriptedProvider) -> None:
    budget = Budget(usd=Decimal("0.15"))
    run = await env.client.start(Typed.run, "ana", id=env.id(), budget=budget, cron_schedule="@every 1s")
    assert env.client.store
    async with Database(env.client.store) as database:

        async def spent() -> Sequence[Decimal]:
            query = select(budgets.c.spent).where(budgets.c.spent > 0)  # this test's store has no others
            found = await database.read(lambda connection: connection.scalars(query).all())
            return found if len(found) >= 3 else ()

        assert set(await until(spent)) == {COSTS}
    await run.cancel()  # between two runs there is nothing to end but the schedule


class Silent(ScriptedProvider):
    """Never answers."""

    def __init__(self) -> None:
        super().__init__(_answer)
        self.asked = asyncio.Event()

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError(request)


@pytest.mark.parametrize("model", [Silent()])
@pytest.mark.parametrize("end", ["cancel", "terminate"])
async def test_an_ended_run_leaves_nothing_reserved(env: Environment, model: Silent, end: str) -> None:
    model.asked.clear()
    ask = Ask(prompt="hello/greet", variables={"name": "ana"})
    run = await env.client.start(Asked.run, ask, id=env.id(), budget=Budget(usd=Decimal(1)))
    await model.asked.wait()
    assert env.client.store

    async with Database(env.client.store) as database:

        async def sums() -> tuple[Decimal, Decimal]:
            query = select(budgets.c.spent, budgets.c.reserved)  # this test's store has only one
            [found] = await database.read(lambda connection: connection.execute(query).all())
            return found.spent, found.reserved

        assert await sums() == (0, COSTS)
        await (run.cancel() if end == "cancel" else run.terminate("seen enough"))

        async def settled() -> bool:
            return await sums() == (COSTS, 0)  # nobody knows what the vendor bills

        await until(settled)


async def test_a_model_without_a_price_is_refused_unless_the_budget_allows_it(
    temporal: str, model: ScriptedProvider
) -> None:
    ask = Ask(prompt="hello/greet", variables={"name": "ana"})
    async with environment(app, model, address=temporal) as env:
        strict = await env.client.start(Asked.run, ask, id=env.id(), budget=Budget(usd=Decimal(1)))
        with pytest.raises(RunNotCompleted, match=r"has no known price .*add its price to prices\.yaml"):
            await strict.result()
        assert not model.requests

        lax = Budget(usd=Decimal(1), unpriced="allow")
        await (await env.client.start(Asked.run, ask, id=env.id(), budget=lax)).result()
        assert len(model.requests) == 1
