"""Regressions: inputs that once blocked a run, or ended it without a typed error."""

import pytest
from temporalio.exceptions import ActivityError

from llmflow.errors import (
    ContentRefused,
    InputInvalid,
    ModelNotFound,
    OutputInvalid,
    RunNotCompleted,
    ToolRefused,
)
from llmflow.testing import ScriptedProvider, activities_of, assert_replays
from llmflow.types.contracts import SPENT
from llmflow.types.models import ModelResponse
from llmflow.types.usage import Usage
from tests.integration.conftest import Hello
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask
from tests.integration.hello.workflows import Asked, Odd, Patient


@pytest.mark.parametrize(
    ("what", "error", "says"),
    [
        ("surrogate", InputInvalid, "cannot be written as JSON"),
        ("unwritable", InputInvalid, "cannot be written as JSON"),
        ("message", InputInvalid, r"messages\.0='hi': .* give a list of messages, such as `\[flow\.Message\.user\("),
        ("validator", OutputInvalid, "cannot be validated: KeyError"),
        ("tool", ActivityError, "NotFoundError: no such page"),
        ("own", ToolRefused, "closed today"),
    ],
)
async def test_it_ends_typed(hello: Hello, what: str, error: type[Exception], says: str) -> None:
    async with hello(ScriptedProvider(lambda _: '{"text": "z"}')) as env:
        run = await env.client.start(Odd.run, what, id=env.id())

        with pytest.raises(RunNotCompleted, match=says) as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, error)
        await assert_replays(run, app)


@pytest.mark.parametrize(
    ("what", "answer", "result"),
    [("null", "null", "Completion: None"), ("waves", "good day", "good day"), ("generator", "", "closed")],
)
async def test_it_goes_on(hello: Hello, what: str, answer: str, result: str) -> None:
    async with hello(ScriptedProvider(lambda _: answer)) as env:
        run = await env.client.start(Odd.run, what, id=env.id())

        assert await run.result() == result
        await assert_replays(run, app)


async def test_a_run_that_is_started_without_its_input_fails_and_says_so(hello: Hello) -> None:
    async with hello(ScriptedProvider([])) as env:
        run = await env.client.start("Typed", id=env.id())

        with pytest.raises(RunNotCompleted, match="workflow Typed: missing a required argument: 'name'"):
            await run.result()


async def test_a_typo_in_a_models_name_is_found_by_a_test(hello: Hello) -> None:
    async with hello(ScriptedProvider(["never asked"])) as env:
        run = await env.client.start(Asked.run, Ask(model="smrt"), id=env.id())

        with pytest.raises(RunNotCompleted, match=r"no model 'smrt'.*`smart`") as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, ModelNotFound)


async def test_text_that_was_cut_off_is_no_answer(hello: Hello) -> None:
    cut = ModelResponse(text="once upon a", model="m", finish_reason="length", usage=Usage(output_tokens=3))
    async with hello(ScriptedProvider([cut])) as env:
        run = await env.client.start(Asked.run, Ask(), id=env.id())

        with pytest.raises(RunNotCompleted, match="cut off after 3 tokens") as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, OutputInvalid)
        assert failed.value.__cause__.detail.answer == "once upon a"


async def test_a_refusal_is_counted_and_typed(hello: Hello) -> None:
    no = ModelResponse(text="I would rather not.", model="m", finish_reason="refused", usage=Usage(output_tokens=6))
    async with hello(ScriptedProvider([no])) as env:
        run = await env.client.start(Asked.run, Ask(), id=env.id())

        with pytest.raises(RunNotCompleted, match=r"refuses to answer: I would rather not\.") as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, ContentRefused)
        assert (await run.usage()).total.usage.output_tokens == 6
        assert await activities_of(run) == ["complete#1"]


@pytest.mark.parametrize("sent", [[], ["text"], [{"total": 7}], [{}, {}]])
async def test_signals_that_no_child_of_ours_sends_change_nothing(hello: Hello, sent: list[object]) -> None:
    async with hello(ScriptedProvider(["hello"])) as env:
        run = await env.client.start(Patient.run, id=env.id())
        await run.handle.signal(SPENT.name, args=sent)
        await run.handle.cancel()
        with pytest.raises(RunNotCompleted, match="was cancelled"):
            await run.result()
        assert (await run.usage()).total.calls == 0
        await assert_replays(run, app)
