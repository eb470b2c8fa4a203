"""Guards pass, repair, ask again and reject; what they reject is not paid, and what they ask again is told why."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from llmflow.client import Run
from llmflow.errors import GuardRejected, InputInvalid, RunNotCompleted
from llmflow.testing import ScriptedProvider, activities_of, assert_replays, environment
from tests.integration.watched import Watch, Watched, app


class Guards:
    """Runs a case with a model that answers from a script, and checks that the run replays."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.said: list[list[str]] = []
        """The messages of each call; the first is the system's."""

    @asynccontextmanager
    async def run(self, case: str, name: str, *answers: str) -> AsyncGenerator[Run[str]]:
        model = ScriptedProvider(answers)
        async with environment(app, model, address=self.address) as env:
            run = await env.client.start(Watched.run, Watch(case=case, name=name), id=env.id())
            yield run
            await assert_replays(run, app)
        self.said = [[message.text for message in request.messages] for request in model.requests]


@pytest.fixture
def guards(temporal: str) -> Guards:
    return Guards(temporal)


async def rejected(run: Run[str]) -> tuple[str | None, str]:
    """Which guard, and what it says."""
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    error = failed.value.__cause__
    assert isinstance(error, GuardRejected)
    return error.detail.guard, error.message


async def test_an_input_is_repaired_before_anything_is_asked(guards: Guards) -> None:
    async with guards.run("input", "  ana ", "hello ana") as run:
        assert await run.result() == "hello ana"
    assert [said[1] for said in guards.said] == ["Greet ana."]


async def test_each_guard_sees_what_those_before_it_repaired_and_nothing_rejected_is_paid(guards: Guards) -> None:
    async with guards.run("input", " robot ") as run:
        assert await rejected(run) == (
            "no_robot",
            "guard `no_robot` rejects the input of `greet`: robots are not greeted",
        )
        assert await activities_of(run) == []


async def test_an_output_is_asked_for_again_with_the_reason_and_repaired(guards: Guards) -> None:
    async with guards.run("output", "ana", "COME IN", "COME IN, please") as run:
        assert await run.result() == "COME IN, please"
        assert await activities_of(run) == ["complete#1", "complete#2"]
    assert [said[2:] for said in guards.said] == [[], ["come in", "'come in' is not polite"]]


async def test_what_is_asked_for_again_too_often_is_rejected(guards: Guards) -> None:
    async with guards.run("twice", "ana", "hm", "hey", "ha") as run:
        assert await rejected(run) == ("polite", "guard `polite` rejects the output of `greet`: 'ha' is not polite")
        assert await activities_of(run) == ["complete#1", "complete#2", "complete#3"]
    assert guards.said[2][2:] == ["hey", "'hey' is not polite"]


async def test_a_step_that_cannot_be_told_is_not_asked_again(guards: Guards) -> None:
    async with guards.run("untold", "ana", "hm") as run:
        assert await rejected(run) == (
            "polite",
            "guard `polite` rejects the output of `greet_once`: 'hm' is not polite",
        )


@pytest.mark.parametrize(("verdict", "expected"), [("fine", None), ("rude", "rude")])
async def test_a_guard_may_ask_a_model_and_is_then_a_step_of_the_run(
    guards: Guards, verdict: str, expected: str | None
) -> None:
    async with guards.run("asks", "ana", "hello ana", verdict) as run:
        if expected is None:
            assert await run.result() == "hello ana"
        else:
            assert await rejected(run) == ("ask_another", "guard `ask_another` rejects the output of `greet`: rude")
        assert await activities_of(run) == ["complete#1", "ask_another/complete#1"]


async def test_a_guard_that_says_yes_or_no_is_told_what_to_say(guards: Guards) -> None:
    async with guards.run("wrong", "ana", "hello ana") as run:
        with pytest.raises(
            RunNotCompleted, match="guard `lambda` returns True: return `None` to accept a value"
        ) as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, InputInvalid)
