"""A budget without room asks a person for more: one question, a raise with its log, and a decision that forks reuse."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llmflow.client import Run
from llmflow.errors import BudgetExceeded, RunNotCompleted
from llmflow.stores.budgets.balances import find_budget, put_budget
from llmflow.stores.database import Database
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.approvals import Question
from llmflow.types.budgets import Budget, BudgetName
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.usage import Usage
from tests.helpers.waiting import until
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask
from tests.integration.hello.workflows import Asked, Parallel

POOR = Budget(usd="0.05", full="ask")


def _answer(request: ModelRequest) -> ModelResponse:
    text = '{"text": "hello", "warmth": 7}'
    return ModelResponse(text=text, model="m1", usage=Usage(input_tokens=1), reported_usd=Decimal("0.10"))


@pytest.fixture
def model() -> ScriptedProvider:
    return ScriptedProvider(_answer)


@pytest.fixture
async def env(temporal: str, tmp_path: Path, model: ScriptedProvider) -> AsyncIterator[Environment]:
    prices = tmp_path / "prices.yaml"
    prices.write_text("scripted:*: {input: 0, output: 24.4140625}\n")  # 4,096 tokens of an answer: $0.10
    async with environment(replace(app, prices=prices), model, address=temporal) as env:
        yield env


async def asked(run: Run[Any]) -> Question:  # Any: runs with results of every type
    async def open_ones() -> list[Question]:
        return [one for one in (await run.approvals()).questions if one.status == "open"]

    [question] = await until(open_ones)
    return question


async def test_a_yes_raises_the_budget_and_forks_reuse_it(env: Environment, model: ScriptedProvider) -> None:
    run = await env.client.start(Asked.run, Ask(), id=env.id(), budget=POOR)
    question = await asked(run)
    assert question.payload == {
        "budget": "run",
        "limit_usd": "0.05",
        "call_usd": "0.1",
    }
    assert "may cost $0.10" in question.details
    await run.decide("budget", approved=True, by="ana", comment="go on", form={"usd": "0.07"})
    assert (await run.result())["text"].startswith("{")
    assert await activities_of(run) == ["complete#1", "reach#1", "raise_budget#1", "complete#2"]
    balance = await run.budget()
    assert balance and (balance.usd, balance.spent) == (Decimal("0.12"), Decimal("0.1"))
    assert [(one.usd, one.by, one.why) for one in balance.raises] == [(Decimal("0.07"), "ana", "go on")]
    await assert_replays(run, app)

    fork = await run.fork("complete#2")
    await fork.result()
    forked = await fork.budget()
    assert forked and (forked.usd, [one.by for one in forked.raises]) == (Decimal("0.12"), ["ana"])
    assert len(model.requests) == 2
    await assert_replays(fork, app)


async def test_a_no_is_an_exceeded_budget(env: Environment, model: ScriptedProvider) -> None:
    run = await env.client.start(Asked.run, Ask(), id=env.id(), budget=POOR)
    await asked(run)
    await run.decide("budget", approved=False, by="ana", comment="too dear")
    with pytest.raises(RunNotCompleted, match="ana rejected `budget`: too dear") as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, BudgetExceeded)
    assert model.requests == []
    await assert_replays(run, app)


async def test_branches_share_one_question(env: Environment, model: ScriptedProvider) -> None:
    assert env.client.store
    acme = BudgetName(scope="tenant", name="acme", period="day")
    async with Database(env.client.store) as database:
        await put_budget(database, acme, POOR)
        run = await env.client.start(Parallel.run, ["a", "b", "c"], id=env.id(), tenant="acme")
        question = await asked(run)
        await asyncio.sleep(0.2)
        assert len((await run.approvals()).questions) == 1, "however many calls have no room"
        assert question.payload == {"budget": "tenant acme per day", "limit_usd": "0.05", "call_usd": "0.1"}
        await run.decide("budget", approved=True, by="ana", form={"usd": 0.3})
        await run.result()
        balance = await find_budget(database, acme)
    assert (balance.usd, balance.spent, len(balance.raises)) == (Decimal("0.35"), Decimal("0.3"), 1)
    assert len(model.requests) == 3
    await assert_replays(run, app)
