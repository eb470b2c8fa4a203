"""A fork repeats no effect unasked: it takes the recorded outcome, or stops before the call."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from llmflow.client import Run
from llmflow.errors import ForkStopped, InputInvalid, RunNotCompleted, StepNotFound
from llmflow.service import forks as plans
from llmflow.service.connections import Connection
from llmflow.testing import Environment, ScriptedProvider, activities_of, environment
from llmflow.types.models import ModelRequest
from tests.integration.forking.app import app
from tests.integration.forking.schemas import Claim
from tests.integration.forking.tools import done
from tests.integration.forking.workflows import Hesitant, Payout, Rounds

CLAIMS = [Claim(number="c1"), Claim(number="c2"), Claim(number="c3", text="careless")]


class Model:
    """Says what each claim gets, and repeats everything else."""

    def __init__(self) -> None:
        self.amounts = {"c1": "50", "c2": "150", "c3": "200"}
        self.doubts = False
        self.provider = ScriptedProvider(self._answer)

    def _answer(self, request: ModelRequest) -> str:
        verb, *words = request.messages[-1].text.strip().split()
        if verb == "Plan":
            return self.amounts[words[0].strip(".")]
        return "doubts" if self.doubts else f"({request.model}: {' '.join(words)})"


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture(scope="module")
async def env(temporal: str, model: Model) -> AsyncIterator[Environment]:
    async with environment(app, model.provider, address=temporal) as env:
        yield env


@pytest.fixture(scope="module")
async def paid(env: Environment) -> Run[list[str]]:
    """Return a run that has paid one claim, and undone what it had done for the two others, whose payments failed."""
    done.clear()
    run = await env.client.start(Payout.run, CLAIMS, id=env.id())
    await run.result()
    assert sorted(done[:-1]) == ["pay c1 50", "release c2 150", "reserve c1 50", "reserve c2 150", "reserve c3 200"]
    assert done[-1].startswith("archive")
    done.clear()
    return run


async def test_nothing_is_done_again_wherever_the_fork_begins(env: Environment, paid: Run[list[str]]) -> None:
    result = await paid.result()
    assert result[:2] == ["paid 50 to c1", "c3: the account is empty"]
    failed = ["settle[1]/transfer", "settle[2]/transfer"]
    steps = [one for one in await activities_of(paid) if "undo" not in one]
    assert len(steps) == 8
    forks = [await paid.fork(step) for step in steps]
    assert await asyncio.gather(*(fork.result() for fork in forks)) == [result] * len(forks)
    planned = await plans.plan(Connection(env.client, None), paid.id, "report", {})
    assert Counter(one.outcome for one in planned.effects) == {"taken": 7, "its failure is taken": 2}
    assert ("settle[1]/transfer/Transfer#1/pay#1", "pay") in [(one.address, one.call) for one in planned.effects]
    planned = await plans.plan(Connection(env.client, None), paid.id, "settle[1]/transfer", {})
    stops = [one.address for one in planned.effects if one.outcome == "the fork stops here"]
    assert stops == ["settle[1]/transfer/Transfer#1/pay#1"]
    again = await forks[0].fork("settle[0]/complete#1", models={"fast": "quick"})
    with pytest.raises(ForkStopped, match=r"would call archive\(.*quick: .* the earlier run called it otherwise: arch"):
        await again.result()
    for step in failed:  # who names a failed effect wants to do it
        with pytest.raises(ForkStopped, match=r"would call pay.* failed in the earlier run: .*the account is empty"):
            await (await paid.fork(step)).result()
    assert done == []


async def test_a_fork_stops_before_another_effect_and_says_what_it_would_do(
    env: Environment, model: Model, paid: Run[list[str]]
) -> None:
    model.amounts = {"c1": "50", "c2": "90", "c3": "200"}
    fork = await paid.fork("settle[1]/complete#1")
    with pytest.raises(ForkStopped) as stopped:
        await fork.result()
    detail = stopped.value.detail
    assert "before the effect `settle[1]/reserve/reserve#1`" in stopped.value.message
    assert 'it would call reserve({"number": "c2", "usd": 90})' in stopped.value.message
    assert 'the earlier run called it otherwise: reserve({"number": "c2", "usd": 150})' in stopped.value.message
    assert detail.remedy
    assert detail.remedy.action == "repeat_effects"
    status = await fork.status()
    assert (status.state, status.stopped and status.stopped.call) == ("cancelled", "reserve"), "it is no failure"
    assert {one.status for one in (await fork.progress()).compensations} <= {"not needed", "undone"}
    assert done == []

    fork = await paid.fork("settle[1]/complete#1", repeat_effects=True)
    result = await fork.result()
    assert result[1] == "paid 90 to c2"
    assert done[:2] == ["reserve c2 90", "pay c2 90"], "what stands is taken all the same"
    assert [one.split()[0] for one in done[2:]] == ["archive"]
    done.clear()

    again = await fork.fork("report", models={"fast": "quick"}, until="file")
    with pytest.raises(ForkStopped, match="ended before `file/archive#1`, as it was told to"):
        await again.result()
    assert (await again.usage()).total.calls == 1
    assert done == []
    third = await again.fork("report", models={"fast": "fast"})
    assert await third.result() == result, "of a fork of a fork, the effects of both are known"
    assert done == []
    model.amounts = {"c1": "50", "c2": "150", "c3": "200"}
    await env.client.run(fork.id).status()


async def test_a_saga_ends_well_only_if_its_actions_stand(env: Environment, model: Model) -> None:
    done.clear()
    model.doubts = True
    run = await env.client.start(Hesitant.run, "c9", id=env.id())
    with pytest.raises(RunNotCompleted, match="a model has doubts"):
        await run.result()
    assert done == ["reserve c9 10", "release c9 10"]
    fork = await run.fork("complete#1")
    with pytest.raises(RunNotCompleted, match="a model has doubts"):
        await fork.result()
    assert [one.status for one in (await fork.progress()).compensations] == ["undone"], "as it was then"

    model.doubts = False
    fork = await run.fork("complete#1")
    with pytest.raises(ForkStopped, match="the earlier run has undone it"):
        await fork.result()
    assert done == ["reserve c9 10", "release c9 10"]
    fork = await run.fork("complete#1", repeat_effects=True)
    assert await fork.result() == "10 are reserved for c9"
    assert done[2:] == ["reserve c9 10"]
    done.clear()


async def test_effects_are_left_alone_in_the_runs_that_continue_a_fork(env: Environment) -> None:
    done.clear()
    run = await env.client.start(Rounds.run, 1, id=env.id())
    first = (await run.status()).run_id
    await run.result()
    assert len(done) == 2
    fork = await env.client.run(run.id, first).fork("complete#1")
    with pytest.raises(ForkStopped, match=r"would call archive.*the earlier run did not call it"):
        await fork.result()
    assert len(done) == 2
    done.clear()


async def test_a_fork_that_cannot_end_there_is_not_started(env: Environment, paid: Run[list[str]]) -> None:
    for step, until, error, said in (
        ("report", "settle", InputInvalid, "begins before its own step"),
        ("report", "flie", StepNotFound, "did you mean `file`"),
    ):
        with pytest.raises(error, match=said):
            await paid.fork(step, until=until, id="never")
    with pytest.raises(RunNotCompleted):
        await (await paid.fork("report", until="file")).result()
