"""A fork does not ask people again what they have decided."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from rich.console import Console

from llmflow.cli.fork_page import plan_page
from llmflow.client import Run
from llmflow.errors import RunNotCompleted
from llmflow.service import forks
from llmflow.service.connections import Connection
from llmflow.testing import Environment, ScriptedProvider, activities_of, approve_when_asked, environment
from llmflow.types.budgets import Budget
from llmflow.types.models import ModelRequest
from tests.helpers.waiting import until
from tests.integration.forking.app import app
from tests.integration.forking.schemas import Claim
from tests.integration.forking.workflows import Claims


def _answer(request: ModelRequest) -> str:
    return f"({request.model}: {request.messages[-1].text.strip()})"


@pytest.fixture(scope="module")
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider(_answer), address=temporal) as env:
        yield env


async def _asked(run: Run[list[str]]) -> dict[str, str]:
    """Open questions of a run: the claim, by the question's name."""
    questions = (await run.approvals()).questions
    return {one.exact: str(one.payload).split()[2] for one in questions if one.status == "open"}


async def _decide(run: Run[list[str]], amounts: dict[str, int], by: str = "ana") -> None:
    """Wait until people are asked about these claims, and approve each with its amount; 0 is a no."""

    async def all_asked() -> bool:
        return set((await _asked(run)).values()) >= set(amounts)

    await until(all_asked)
    names = {claim: name for name, claim in (await _asked(run)).items()}
    for claim, usd in amounts.items():
        await run.decide(names[claim], approved=bool(usd), by=by, form={"usd": usd} if usd else None)


async def test_decisions_and_deadlines_are_taken_over_by_their_place(env: Environment) -> None:
    claims = [Claim(number="c1"), Claim(number="c2"), Claim(number="c3")]
    run = await env.client.start(Claims.run, claims, id=env.id())
    await _decide(run, {"c3": 30})
    await _decide(run, {"c1": 10, "c2": 0}, by="bo")

    async def asked_again() -> bool:
        return "second look" in [one.name for one in (await run.approvals()).questions]

    await until(asked_again)
    await env.skip(run, timedelta(hours=1))
    result = await run.result()
    assert result[:3] == ["c1: 10 by bo", "c2: bo said no", "c3: 30 by ana"]
    assert "; timeout at 20" in result[3]

    fork = await run.fork("report", models={"fast": "quick"})
    answers = await fork.result()
    assert answers == [*result[:3], result[3].replace("(fast:", "(quick:")], "nobody was asked, also at the deadline"
    told = {one.name: (one.status, one.votes) for one in (await run.approvals()).questions}
    taken = {one.name: (one.status, one.votes) for one in (await fork.approvals()).questions}
    assert sorted(map(str, taken.values())) == sorted(map(str, told.values()))
    assert "settle[0]/approval pay#1" in await activities_of(fork)
    assert [one for one in await activities_of(run) if "approval" in one] == [], "only forks look for decisions"

    planned = await forks.plan(Connection(env.client, None), run.id, "report", {"prompts": {"forking/note": "0"}})
    assert [(one.step, one.calls, one.usage.calls) for one in planned.taken] == [("settle", 3, 3)]
    assert [(one.step, one.calls, one.usage.calls) for one in planned.executed] == [("report", 1, 1)]
    assert (planned.usage.calls, planned.whole.calls, planned.unanswered, planned.most) == (1, 4, 0, None)
    assert len(planned.decisions) == 4
    assert (planned.questions, planned.effects, planned.timers, planned.messages) == ((), (), 0, ())
    earlier = await forks.plan(Connection(env.client, None), run.id, "settle", {})
    assert len(earlier.questions) == 4, "from the beginning, people are asked everything again"

    again = await fork.fork("report")
    assert await again.result() == answers, "a fork of a fork takes over what that one took over"

    # Another text makes another question of the second claim, and only of that.
    claims[1] = Claim(number="c2", text="was")
    fork = await run.fork("report", input=claims)
    await _decide(fork, {"c2": 5})
    assert [one.partition(" by")[0] for one in (await fork.result())[:3]] == ["c1: 10", "c2: 5", "c3: 30"]


async def test_a_decision_after_the_step_is_asked_again(env: Environment) -> None:
    run = await env.client.start(Claims.run, [Claim(number="c1")], id=env.id())
    await _decide(run, {"c1": 10})
    fork = await run.fork("settle")
    await _decide(fork, {"c1": 20})
    for one in (run, fork):
        await approve_when_asked(one, "second look", by="ana")
    assert ((await run.result())[0], (await fork.result())[0]) == ("c1: 10 by ana", "c1: 20 by ana")


async def test_a_plan_estimates_and_its_bound_is_the_budget(env: Environment) -> None:
    run = await env.client.start(Claims.run, [Claim(number="c1")], id=env.id(), budget=Budget(usd=2))
    with pytest.raises(RunNotCompleted, match="no known price"):
        await run.result()
    planned = await forks.plan(Connection(env.client, None), run.id, "settle", {})
    assert (planned.usage.calls, planned.unanswered, planned.most) == (0, 1, 2)
    page = Console(width=120)
    with page.capture() as shown:
        page.print(plan_page(planned))
    assert "costs about $0 as in the run, and 1 call that had no answer; at most $2.00, its budget" in shown.get()
