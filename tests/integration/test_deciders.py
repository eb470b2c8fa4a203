"""The test kit's people: they answer when a run asks."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import JsonValue

from llmflow.client import Run
from llmflow.errors import DecisionRefused, InputInvalid
from llmflow.testing import (
    Environment,
    ScriptedProvider,
    approve_when_asked,
    assert_replays,
    decider,
    environment,
)
from llmflow.types.approvals import Decide, Question
from tests.helpers.waiting import until
from tests.integration.desk import Both, Publish, TwoOfThree, Urgent, app

FORM: JsonValue = {"usd": "12.50", "reason": "late"}


@pytest.fixture(scope="module")
async def desk(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        yield env


async def asked(run: Run[str]) -> tuple[Question, ...]:
    return (await run.approvals()).questions


async def test_one_yes(desk: Environment) -> None:
    run = await desk.client.start(Publish.run, "one", id=desk.id())
    receipt = await approve_when_asked(run, "publish", by="ana")
    assert receipt.status == "approved"
    assert await run.result() == "one, says ana"


async def test_a_yes_to_what_is_never_asked(desk: Environment) -> None:
    run = await desk.client.start(Publish.run, "one", id=desk.id())
    asked = asyncio.create_task(approve_when_asked(run, "refund"))
    await approve_when_asked(run, "publish")
    with pytest.raises(AssertionError, match=r"ended \(completed\) without asking `refund`"):
        await asked


async def test_a_script_goes_through_rounds_quorums_and_children(desk: Environment) -> None:
    run = await desk.client.start(Both.run, "one", id=desk.id())
    script = [
        Decide(approval="publish", approved=False, by="ana", comment="longer"),
        Decide(approval="publish", approved=False, by="ana", comment="longer"),
        Decide(approval="publish#3", approved=True, by="bo"),
        Decide(approval="spend", approved=True, by="cy"),
    ]
    async with decider(desk.client, run, script) as given:
        assert await run.result() == ["cy", "one, but longer, but longer, says bo"]
    assert sorted(receipt.approval for receipt in given) == ["publish", "publish#2", "publish#3", "spend"]
    await assert_replays(run, app)

    run = await desk.client.start(TwoOfThree.run, id=desk.id())
    script = [Decide(approval="refund", approved=True, by=by, form=FORM) for by in ("ana", "bo")]
    async with decider(desk.client, run, script) as given:
        assert await run.result() == "12.50: True by ana, bo"
    assert [receipt.missing for receipt in given] == [1, 0]


async def test_a_script_that_the_run_refuses_fails_the_test_at_once(desk: Environment) -> None:
    run = await desk.client.start(TwoOfThree.run, id=desk.id())
    wrong: JsonValue = {"usd": 501, "reason": "late"}
    with pytest.raises(DecisionRefused, match="less than or equal to 500"):
        async with decider(desk.client, run, [Decide(approval="refund", approved=True, by="ana", form=wrong)]):
            await run.result()
    await run.terminate("seen enough")


async def test_a_name_that_the_run_does_not_ask_is_told(desk: Environment) -> None:
    run = await desk.client.start(Publish.run, "one", id=desk.id())
    says = r"does not ask `publsih` \(did you mean `publish`\?\); it has asked `publish` of anyone \(open\)"
    with pytest.raises(AssertionError, match=says):
        await approve_when_asked(run, "publsih")
    with pytest.raises(AssertionError, match=says):
        async with decider(desk.client, run, [Decide(approval="publsih", approved=True, by="ana")]):
            await run.result()
    await run.approve("publish", by="ana")
    with pytest.raises(AssertionError, match=r"ended \(completed\) without asking `publsih` \(did you mean"):
        async with decider(desk.client, run, [Decide(approval="publsih", approved=True, by="ana")]):
            await asyncio.Event().wait()


async def test_whom_an_escalation_asks_answers_then_and_nobody_else_ever(desk: Environment) -> None:
    run = await desk.client.start(Urgent.run, id=desk.id())
    async with decider(desk.client, run, [Decide(approval="urgent", approved=True, by="bo")]):
        assert await run.result() == "bo"
    run = await desk.client.start(TwoOfThree.run, id=desk.id())
    await until(partial(asked, run))
    with pytest.raises(
        AssertionError, match=r"took no decision within 0\.5 s to `refund`; it has asked `refund` of ana or bo or"
    ):
        async with decider(
            desk.client, run, [Decide(approval="refund", approved=True, by="dan")], within=timedelta(seconds=0.5)
        ):
            await run.result()
    await run.terminate("seen enough")


async def test_a_time_is_no_number(desk: Environment) -> None:
    run = await desk.client.start(Publish.run, "one", id=desk.id())
    seconds: Any = 5  # the mistake
    with pytest.raises(InputInvalid, match="within=5: give a timedelta"):
        await approve_when_asked(run, "publish", within=seconds)
    await run.terminate("seen enough")


async def test_what_the_test_raises_comes_out_as_it_is(desk: Environment) -> None:
    run = await desk.client.start(Publish.run, "one", id=desk.id())
    with pytest.raises(ZeroDivisionError):
        async with decider(desk.client, run, []):
            _ = 1 / 0
    await run.terminate("seen enough")
