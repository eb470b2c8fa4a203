"""Retries after llmflow held a call back: never of candidates that were paid, or refused for good."""

import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from temporalio.worker import Worker

from llmflow.client import Client, connect
from llmflow.config import Settings
from llmflow.errors import (
    AuthenticationFailed,
    CircuitOpen,
    ContentRefused,
    ErrorDetail,
    LimitReached,
    OutputInvalid,
    ProviderUnavailable,
    RateLimited,
    RunNotCompleted,
)
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider, activities_of, assert_replays
from llmflow.testing.provider import ScriptedAnswer
from llmflow.types.messages import Opaque, ToolCall
from llmflow.types.models import Candidate, ModelResponse
from llmflow.types.usage import Usage
from llmflow.worker import LLMFlowPlugin
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask, Greeting
from tests.integration.hello.workflows import Asked, Impatient, Rounds, Typed

MODELS = ModelCatalogue(providers={}, aliases={"smart": (Candidate(model="a:m"), Candidate(model="b:m"))})
ASK = Ask(attempts=1)
NO = ModelResponse(text="I will not", model="m", finish_reason="refused")
OPEN = CircuitOpen("broken")
DOWN = ProviderUnavailable("503", ErrorDetail(status=503))

Script = Sequence[ScriptedAnswer] | ScriptedProvider
Serve = Callable[[Script, Script], AbstractAsyncContextManager[Client]]


@pytest.fixture
def serve(temporal: str, tmp_path: Path) -> Serve:
    @asynccontextmanager
    async def serving(first: Script, second: Script) -> AsyncGenerator[Client]:
        scripts = {"a": first, "b": second}
        providers = {
            name: script if isinstance(script, ScriptedProvider) else ScriptedProvider(script)
            for name, script in scripts.items()
        }
        settings = Settings(home=tmp_path, store=None)
        plugin = LLMFlowPlugin(app, settings=settings, models=MODELS, providers=providers)
        client = await connect(address=temporal, plugin=plugin)
        queue = f"fallback-{uuid.uuid4()}"
        async with Worker(client.temporal, task_queue=queue, workflows=app.workflows):
            yield Client(client.temporal, queue)

    return serving


async def test_a_paid_refusal_is_not_bought_again_while_the_other_one_is_waited_for(serve: Serve) -> None:
    async with serve([NO], [OPEN, "good day"]) as client:
        run = await client.start(Asked.run, ASK, id=str(uuid.uuid4()))
        assert (await run.result())["model"] == "b:script"
        assert await activities_of(run) == ["complete#1", "complete#2", "complete#3"]
        assert (await run.usage()).total.calls == 2
        await assert_replays(run, app)


async def test_who_only_failed_for_a_moment_is_asked_again(serve: Serve) -> None:
    async with serve([DOWN, "good day"], [OPEN, AuthenticationFailed("no key")]) as client:
        run = await client.start(Asked.run, ASK, id=str(uuid.uuid4()))
        assert (await run.result())["model"] == "a:script"
        await assert_replays(run, app)


async def test_a_limit_is_waited_for_though_the_other_candidate_says_no_for_good(serve: Serve) -> None:
    async with serve([LimitReached("no room"), "good day"], [AuthenticationFailed("no key")]) as client:
        run = await client.start(Asked.run, ASK, id=str(uuid.uuid4()))
        assert (await run.result())["model"] == "a:script"
        assert await activities_of(run) == ["complete#1", "complete#2", "complete#3"]  # a, b, a
        await assert_replays(run, app)


async def test_when_nobody_is_left_to_wait_for_the_last_word_counts(serve: Serve) -> None:
    async with serve([NO], [OPEN, AuthenticationFailed("no key")]) as client:
        run = await client.start(Asked.run, ASK, id=str(uuid.uuid4()))
        with pytest.raises(RunNotCompleted) as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, AuthenticationFailed)
        assert not isinstance(failed.value.__cause__, ContentRefused)
        await assert_replays(run, app)


HELLO = Greeting(text="good day", warmth=3)
HELD = RateLimited("slow", ErrorDetail(status=429, retry_after=1.0, retry=False))
"""As a provider raises it for a wait longer than its limit."""
EMPTY = ModelResponse(text=" ", model="m", usage=Usage(output_tokens=5))
UNSAID = ModelResponse(text="good d", model="m", finish_reason="unknown", ending="overload")


async def test_a_long_wait_is_for_a_time_when_nobody_else_answers(serve: Serve) -> None:
    async with serve([HELD, "late"], ["good day"]) as client:
        run = await client.start(Asked.run, ASK, id=str(uuid.uuid4()))
        assert (await run.result())["model"] == "b:script"
    async with serve([HELD, "good day"], [AuthenticationFailed("no key")]) as client:
        run = await client.start(Asked.run, ASK, id=str(uuid.uuid4()))
        assert (await run.result())["model"] == "a:script"
        assert await activities_of(run) == ["complete#1", "complete#2", "complete#3"]
        await assert_replays(run, app)


async def test_long_waits_end(serve: Serve) -> None:
    soon = RateLimited("slow", ErrorDetail(status=429, retry_after=0.0, retry=False))
    async with serve([soon] * 4, [AuthenticationFailed("no key")]) as client:
        run = await client.start(Impatient.run, 0, id=str(uuid.uuid4()))
        with pytest.raises(RunNotCompleted) as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, RateLimited)
        assert len(await activities_of(run)) == 5


@pytest.mark.parametrize("none", [EMPTY, UNSAID], ids=["empty", "unsaid"])
async def test_no_answer_is_asked_again_and_then_of_the_next_candidate(serve: Serve, none: ModelResponse) -> None:
    async with serve([none, none], [none, "good day"]) as client:
        run = await client.start(Asked.run, ASK, id=str(uuid.uuid4()))
        assert (await run.result())["model"] == "b:script"
        assert await activities_of(run) == [f"complete#{n}" for n in (1, 2, 3, 4)]
        assert (await run.usage()).total.calls == 4, "each is paid"
        await assert_replays(run, app)


async def test_an_answer_of_nobody_ends_typed_with_the_last_one(serve: Serve) -> None:
    async with serve([UNSAID, UNSAID], [AuthenticationFailed("no key")]) as client:
        run = await client.start(Asked.run, ASK, id=str(uuid.uuid4()))
        with pytest.raises(RunNotCompleted, match="ended with `overload`") as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, OutputInvalid)
        assert failed.value.__cause__.detail.answer == "good d"
        await assert_replays(run, app)


async def test_while_another_candidate_is_left_each_has_two_attempts(serve: Serve) -> None:
    async with serve([DOWN] * 2, [HELLO]) as client:
        run = await client.start(Typed.run, "ana", id=str(uuid.uuid4()))
        assert (await run.result()).text == "good day"
        assert await activities_of(run) == ["greeting/complete#1", "greeting/complete#2"]


def looks_up(n: int) -> ModelResponse:
    call = ToolCall(id=str(n), name="look_up", arguments="{}")
    thought = Opaque(vendor="a", content={"reasoning_content": f"hm {n}"})
    signed = Opaque(vendor="a", call=str(n), content={"signature": "x"})
    return ModelResponse(text="", model="m", finish_reason="tool_calls", tool_calls=(call,), opaque=(thought, signed))


async def test_what_a_vendor_wants_back_goes_to_it_alone(serve: Serve) -> None:
    a, b = ScriptedProvider([looks_up(0), looks_up(1), DOWN, DOWN]), ScriptedProvider(["good day"])
    async with serve(a, b) as client:
        run = await client.start(Rounds.run, "hello/greet", id=str(uuid.uuid4()))
        assert await run.result() == "good day"
        await assert_replays(run, app)

    def kinds(provider: ScriptedProvider) -> list[list[str]]:
        return [[part.type for part in message.parts] for message in provider.requests[-1].messages[2:]]

    assert kinds(a) == [["opaque", "opaque", "tool_call"], ["tool_result"]] * 2
    assert kinds(b) == [["tool_call"], ["tool_result"]] * 2
    sent = a.requests[-1].messages[4].parts
    assert (sent[0], sent[1]) == looks_up(1).opaque
