"""Patterns: what they give, what they schedule, how they stop, and that they replay."""

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from temporalio.api.enums.v1 import EventType

from llmflow.client import Run
from llmflow.errors import RunNotCompleted
from llmflow.testing import ScriptedProvider, activities_of, assert_replays, environment
from llmflow.testing.provider import ScriptedAnswer
from llmflow.types.models import ModelRequest
from tests.integration.shapes import Asked, Shapes, app, begun


@pytest.fixture
def shapes(temporal: str) -> "Patterns":
    return Patterns(temporal)


class Patterns:
    """Runs one of the patterns with a model that answers from a script, and checks that the run replays."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.requests: list[ModelRequest] = []

    @asynccontextmanager
    async def run(self, shape: str, text: str, *answers: ScriptedAnswer) -> AsyncGenerator[Run[str]]:
        model = ScriptedProvider(answers)
        async with environment(app, model, address=self.address) as env:
            run = await env.client.start(Shapes.run, Asked(shape=shape, text=text), id=env.id())
            yield run
            await assert_replays(run, app)
        self.requests = model.requests


async def steps_of(run: Run[str]) -> list[tuple[str, str]]:
    return [(step.path, step.status) for step in await run.steps()]


async def test_a_chain_takes_its_steps_in_order(shapes: Patterns) -> None:
    async with shapes.run("chain", "ana", "hello ana") as run:
        assert await run.result() == "HELLO ANA"
        assert await activities_of(run) == ["greet/complete#1"]
        assert await steps_of(run) == [("gate", "completed"), ("greet", "completed"), ("shout", "completed")]


async def test_a_gate_stops_a_chain_before_anything_is_paid(shapes: Patterns) -> None:
    async with shapes.run("chain", "ana lee") as run:
        assert await run.result() == "GuardRejected: guard `one_word` rejects the value: 'ana lee' has a space"
        assert await activities_of(run) == []
        assert await steps_of(run) == [("gate", "failed")]


async def test_a_tool_is_a_step_and_runs_as_an_activity(shapes: Patterns) -> None:
    async with shapes.run("tool", "oslo") as run:
        assert await run.result() == "city='OSLO' lines=(0,)"
        assert await activities_of(run) == ["locate/locate#1"]


@pytest.mark.parametrize(
    ("text", "expected", "taken"),
    [("ana", "hello", "greet"), ("7", "7", "shout"), ("a b", "a b", "echo")],
)
async def test_a_route_takes_the_step_of_the_class_or_the_default(
    shapes: Patterns, text: str, expected: str, taken: str
) -> None:
    async with shapes.run("route", text, "hello") as run:
        assert await run.result() == expected
        assert [path for path, _ in await steps_of(run)] == ["classify", taken]


async def test_a_class_without_a_handler_names_those_that_there_are(shapes: Patterns) -> None:
    async with shapes.run("unhandled", "a b") as run:
        says = "InputInvalid: `unannotated` returns `other`, but `handlers` has `name`, `number`: add a handler or "
        assert await run.result() == f"{says}default="


async def test_sections_run_side_by_side_and_keep_their_order(shapes: Patterns) -> None:
    async with shapes.run("sections", "ana", "hello") as run:
        assert await run.result() == "('hello', 'ANA')"
        assert await activities_of(run) == ["section[0]/greet/complete#1"]


@pytest.mark.parametrize(
    ("shape", "answers", "expected"),
    [
        ("vote", ["a", "b", "a"], "Voted(value='a', "),
        ("vote", ["a", "b", "c"], "VoteUndecided: `greet` is undecided: 2 of 3 have to agree, and 1 say "),
        ("two of four", ["a", "b", "a", "b"], "VoteUndecided: `greet` is undecided: 2 of 4 have to agree, and 2 say "),
        ("two of four", ["a", "b", "c", "a"], "Voted(value='a', "),
    ],
)
async def test_a_vote_has_a_winner_only_if_enough_agree_and_no_others_do(
    shapes: Patterns, shape: str, answers: Sequence[str], expected: str
) -> None:
    async with shapes.run(shape, "ana", *answers) as run:
        assert (await run.result()).startswith(expected)
        assert await activities_of(run) == [f"greet[{one}]/complete#1" for one in range(len(answers))]


async def test_an_orchestra_plans_works_and_puts_together(shapes: Patterns) -> None:
    async with shapes.run("orchestrate", "ana bo", "hello", "hello") as run:
        assert await run.result() == "ana bo: hello, hello"
        assert await activities_of(run) == ["greet[0]/complete#1", "greet[1]/complete#1"]


async def test_an_orchestra_without_a_task_only_puts_together(shapes: Patterns) -> None:
    async with shapes.run("no plan", "ana") as run:
        assert await run.result() == "ana: "
        assert await steps_of(run) == [(name, "completed") for name in ("nothing", "greet", "combine")]


async def test_a_plan_that_is_too_long_is_refused_before_anything_is_paid(shapes: Patterns) -> None:
    async with shapes.run("orchestrate", "a b c d") as run:
        assert (await run.result()).startswith("GuardRejected: `plan` plans 4 tasks, at most 3: ")
        assert await activities_of(run) == []


async def test_an_answer_is_improved_until_it_is_good_enough(shapes: Patterns) -> None:
    async with shapes.run("evaluate", "ana", "hey", "hello") as run:
        assert "value='hello'" in (result := await run.result())
        assert "passed=True, rounds=2" in result
        assert await activities_of(run) == ["draft/complete#1", "draft#2/complete#1"]
        assert [path for path, _ in await steps_of(run)] == ["draft", "judge", "draft#2", "judge#2"]
    said = [(message.role, message.text) for message in shapes.requests[1].messages[-2:]]
    assert said == [("assistant", "hey"), ("user", "'hey' is too short for ana")]


async def test_the_best_answer_is_the_result_when_the_rounds_are_used_up(shapes: Patterns) -> None:
    async with shapes.run("evaluate", "ana", "hi", "hey", "yo") as run:
        assert "value='hey'" in (result := await run.result())
        assert "passed=False, rounds=3" in result
    assert [message.text for message in shapes.requests[2].messages[-2:]] == ["hey", "'hey' is too short for ana"]


async def test_a_judge_that_fails_ends_the_evaluation(shapes: Patterns) -> None:
    async with shapes.run("no judge", "ana", "hello", "fine") as run:
        with pytest.raises(RunNotCompleted, match="the answer does not fit Verdict"):
            await run.result()
        assert await steps_of(run) == [("draft", "completed"), ("no_judge", "failed")]


async def test_a_step_whose_value_is_messages_is_guarded_like_any_other(shapes: Patterns) -> None:
    async with shapes.run("chat", "ana", "hello") as run:
        assert await run.result() == "hello"
    async with shapes.run("chat", "ana", "ana") as run:
        assert await run.result() == "GuardRejected: guard `no_echo` rejects the output of `chat`: an echo"


async def test_whatever_pattern_is_cancelled_nothing_of_it_is_running(shapes: Patterns) -> None:
    async with shapes.run("all", "two parts") as run:
        for _ in range(12):
            await begun.acquire()
        await run.cancel()
        with pytest.raises(RunNotCompleted, match="was cancelled"):
            await run.result()
        assert {status for path, status in await steps_of(run) if path.endswith("hang")} == {"cancelled"}
        kinds = Counter(event.event_type for event in (await run.handle.fetch_history()).events)
        assert kinds[EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED] == 12
        assert kinds[EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED] == 12


@pytest.mark.parametrize(
    ("answers", "names"), [(["bo", "cy", "di"], "'ana', 'bo', 'cy', 'di'"), (["last"], "'ana', 'last'")]
)
async def test_a_flow_ends_with_its_steps_or_when_its_state_says_so(
    shapes: Patterns, answers: Sequence[str], names: str
) -> None:
    async with shapes.run("flow", "ana", *answers) as run:
        assert f"names=[{names}]" in await run.result()
        paths = [path for path, _ in await steps_of(run)]
        assert paths == ["next_name", "next_name#2", "next_name#3"][: len(answers)]


async def test_patterns_nest(shapes: Patterns) -> None:
    async with shapes.run("nested", "ana", *["hello"] * 5) as run:
        assert "Voted(value='hello', tally=(('hello', 3),))" in await run.result()
        scheduled = await activities_of(run)
        assert scheduled[0] == "route/greet/complete#1"
        assert sorted(scheduled[1:]) == [
            "sections/section[0]/evaluate/draft/complete#1",
            *(f"sections/section[1]/vote/greet[{one}]/complete#1" for one in range(3)),
        ]
