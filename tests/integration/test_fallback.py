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
    ProviderUnavailable,
    RunNotCompleted,
)
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider, activities_of, assert_replays
from llmflow.testing.provider import ScriptedAnswer
from llmflow.types.models import Candidate, ModelResponse
from llmflow.worker import LLMFlowPlugin
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask
from tests.integration.hello.workflows import Asked

MODELS = ModelCatalogue(providers={}, aliases={"smart": (Candidate(model="a:m"), Candidate(model="b:m"))})
ASK = Ask(attempts=1)
NO = ModelResponse(text="I will not", model="m", finish_reason="refused")
OPEN = CircuitOpen("broken")
DOWN = ProviderUnavailable("503", ErrorDetail(status=503))

Serve = Callable[[Sequence[ScriptedAnswer], Sequence[ScriptedAnswer]], AbstractAsyncContextManager[Client]]


@pytest.fixture
def serve(temporal: str, tmp_path: Path) -> Serve:
    @asynccontextmanager
    async def serving(first: Sequence[ScriptedAnswer], second: Sequence[ScriptedAnswer]) -> AsyncGenerator[Client]:
        providers = {"a": ScriptedProvider(first), "b": ScriptedProvider(second)}
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
