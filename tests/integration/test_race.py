"""The first good answer wins."""

import asyncio
from contextlib import suppress
from decimal import Decimal

import pytest

from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink
from llmflow.types.usage import Usage
from tests.integration.fanned import Found, Plan, Race, app, gate


class Stubborn:
    """Answers for number 1 at once, and for the others when it is told to stop: a vendor bills them all the same."""

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        number = int(request.messages[-1].text.removeprefix("Look at ").removesuffix("."))
        if number != 1:
            with suppress(asyncio.CancelledError):  # it comes too late
                await asyncio.Event().wait()
        text = Found(number=number).model_dump_json()
        return ModelResponse(text=text, model="m", usage=Usage(output_tokens=5), reported_usd=Decimal("0.01"))

    async def close(self) -> None:
        """Nothing is open."""


async def raced(env: Environment, plan: Plan) -> str:
    run = await env.client.start(Race.run, plan, id=env.id())
    winner = await run.result()
    assert gate.inside == 0
    assert len(await activities_of(run)) == 3
    await assert_replays(run, app)
    return winner


async def test_the_first_good_answer_wins_and_the_others_have_ended(temporal: str) -> None:
    gate.open.clear()
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        assert await raced(env, Plan(held=(0, 2))) == "10"
        gate.open.set()
        assert await raced(env, Plan(bad=(0, 1))) == "20"
        told = await raced(env, Plan(bad=(2,), limit=99))
    said, _, losers = told.partition(" | ")
    assert said.startswith("none of 3 branches returned a good result; race[")
    losers = losers.split("; ")
    assert sorted(losers) == ["race[0]: not good", "race[1]: not good", "race[2]: ToolRefused: 2 is bad"]


@pytest.mark.parametrize(("way", "called"), [("tool", "glance"), ("partial", "look")])
async def test_a_tool_may_race(temporal: str, way: str, called: str) -> None:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        run = await env.client.start(Race.run, Plan(way=way, limit=99), id=env.id())
        assert await run.result() == "100"
        assert f"race[0]/{called}#1" in await activities_of(run)
        await assert_replays(run, app)


async def test_what_the_others_were_paid_is_counted(temporal: str) -> None:
    async with environment(app, Stubborn(), address=temporal) as env:
        run = await env.client.start(Race.run, Plan(way="model", limit=1), id=env.id())
        assert await run.result() == "1"
        total = (await run.usage()).total
        assert (total.calls, total.usd) == (3, Decimal("0.03"))
        [step] = await run.steps()
        assert (step.path, step.usage.calls) == ("race", 3)
        assert sorted(await activities_of(run)) == [f"race[{number}]/complete#1" for number in range(3)]
        await assert_replays(run, app)
