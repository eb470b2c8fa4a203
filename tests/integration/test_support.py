"""Customer support: questions, refunds that people agree to, and complaints that people answer."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from llmflow.client import Run
from llmflow.errors import DecisionRefused, NoWorker
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.approvals import Question
from llmflow.types.models import ModelRequest
from tests.helpers.waiting import until
from workflows.support.app import app
from workflows.support.schemas import Claim, Reply, Solved, Ticket, Topic, Triage
from workflows.support.workflow import CustomerSupport

Refunds = Callable[[], list[tuple[str, int]]]


@pytest.fixture
def refunds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refunds:
    """Order and amount of what the bank has paid."""
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)  # where the index of the handbook lands

    def read() -> list[tuple[str, int]]:
        with closing(sqlite3.connect(tmp_path / "support.db")) as file:
            return file.execute("SELECT order_number, amount FROM refunds").fetchall()

    return read


def scripted(topic: Topic, order: str = "A-1042") -> ScriptedProvider:
    def answer(request: ModelRequest) -> Triage | Reply | Claim:
        assert request.output is not None
        match request.output.name:
            case "Triage":
                return Triage(topic=topic)
            case "Claim":
                return Claim(order=order, reason="The motor is broken.")
            case _:
                return Reply(text="Within 30 days.", sources=["returns.md#1", "made-up.md#1"])

    return ScriptedProvider(answer)


async def question(run: Run[Any]) -> Question:  # Any: runs of every type
    """Wait until it asks something."""

    async def look() -> Question | None:
        with suppress(NoWorker):  # Temporal may lose a query that meets a timer
            return next((one for one in (await run.approvals()).questions if one.status == "open"), None)

    found = await until(look)
    assert found
    return found


async def start(env: Environment, text: str = "My grinder A-1042 is broken.") -> Run[Solved]:
    return await env.client.start(CustomerSupport.run, Ticket(customer="Mia", text=text), id=env.id())


async def test_a_question_is_answered_from_the_handbook(temporal: str, refunds: Refunds) -> None:
    async with environment(app, scripted("question"), address=temporal) as env:
        run = await start(env, "Can I send something back after two weeks?")

        solved = await run.result()
        assert (solved.reply, solved.sources) == ("Within 30 days.", ["returns.md#1"]), "what is invented is left out"
        assert await activities_of(run) == [
            *("triage/complete#1", "answer/search_handbook#1", "answer/complete#1"),
        ]
        await assert_replays(run, app)


async def test_a_question_that_the_handbook_does_not_answer_goes_to_people(temporal: str, refunds: Refunds) -> None:
    async with environment(app, scripted("question"), address=temporal) as env:
        solved = await (await start(env, "zzyzx qwrtp?")).result()
        assert "A colleague" in solved.reply


async def test_a_small_refund_asks_nobody(temporal: str, refunds: Refunds) -> None:
    async with environment(app, scripted("refund", "A-1043"), address=temporal) as env:
        run = await start(env)

        solved = await run.result()
        assert solved.refund
        assert (solved.refund.amount, solved.decided_by) == (18, [])
        assert refunds() == [("A-1043", 18)]
        assert (await activities_of(run))[1:] == [
            *("refund/complete#1", "refund/find_order#1", "refund/pay_refund#1"),
        ]
        await assert_replays(run, app)


async def test_a_large_refund_is_paid_as_the_form_says(temporal: str, refunds: Refunds) -> None:
    async with environment(app, scripted("refund"), address=temporal) as env:
        run = await start(env)
        asked = await question(run)
        assert (asked.name, asked.approvers) == ("refund", ("sam", "kim"))
        assert "**189 €**" in asked.details
        with pytest.raises(DecisionRefused, match="lena"):
            await run.approve("refund", by="lena", form={"amount": 100, "reason": "broken"})
        with pytest.raises(DecisionRefused, match="amount"):
            await run.approve("refund", by="sam", form={"amount": "much", "reason": "broken"})
        await run.approve("refund", by="sam", form={"amount": 100, "reason": "broken"})

        solved = await run.result()
        assert solved.refund
        assert (solved.refund.amount, solved.decided_by) == (100, ["sam"])
        assert refunds() == [("A-1042", 100)]
        await assert_replays(run, app)


async def test_a_refund_that_is_rejected_pays_nothing(temporal: str, refunds: Refunds) -> None:
    async with environment(app, scripted("refund"), address=temporal) as env:
        run = await start(env)
        await question(run)
        await run.reject("refund", by="kim", comment="The warranty is over.")

        solved = await run.result()
        assert solved.refund is None
        assert solved.reply == "We are sorry, we cannot pay back Coffee grinder. The warranty is over."
        assert "refund/pay_refund#1" not in await activities_of(run)


async def test_where_no_agent_answers_their_lead_is_asked(temporal: str, refunds: Refunds) -> None:
    async with environment(app, scripted("refund"), address=temporal) as env:
        run = await start(env)
        await question(run)
        await env.skip(run, timedelta(hours=4))
        asked = await question(run)
        assert (asked.level, asked.approvers) == (1, ("sam", "kim", "lena"))
        await run.approve("refund", by="lena", form={"amount": 500, "reason": "broken"})

        solved = await run.result()
        assert solved.decided_by == ["lena"]
        assert refunds() == [("A-1042", 189)], "never more than was paid"
        await assert_replays(run, app)


async def test_where_nobody_answers_the_customer_is_told_so(temporal: str, refunds: Refunds) -> None:
    ticket = Ticket(customer="Mia", text="My grinder is broken.", answer_within=timedelta(hours=1))
    async with environment(app, scripted("refund"), address=temporal) as env:
        run = await env.client.start(CustomerSupport.run, ticket, id=env.id())
        await env.skip(run, timedelta(hours=3))
        assert "A colleague" in (await run.result()).reply


async def test_an_unknown_order_is_said_to_the_customer(temporal: str, refunds: Refunds) -> None:
    async with environment(app, scripted("refund", "A-9042"), address=temporal) as env:
        assert "there is no order A-9042 (did you mean `A-1042`?)" in (await (await start(env)).result()).reply


async def test_a_complaint_is_answered_by_a_person(temporal: str, refunds: Refunds) -> None:
    async with environment(app, scripted("complaint"), address=temporal) as env:
        run = await start(env, "Nobody ever answers me.")
        assert (await question(run)).name == "reply"
        await run.approve("reply", by="kim", form={"text": "We are sorry, Mia."})

        solved = await run.result()
        assert (solved.reply, solved.decided_by) == ("We are sorry, Mia.", ["kim"])
        assert await activities_of(run) == ["triage/complete#1", "hear/reach#1"], "no model says a word"
        await assert_replays(run, app)
