"""Limits, broken vendors and sizes of input, from models.yaml to the socket: the real SDK, a real server, real runs."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from temporalio.api.enums.v1 import ApplicationErrorCategory
from temporalio.worker import Worker

from llmflow.client import Client, Run, connect
from llmflow.config import Settings
from llmflow.errors import CircuitOpen, LimitReached, LLMFlowError, RunNotCompleted, StoreUnavailable
from llmflow.providers.breaker import Breaker
from llmflow.providers.connect import connect_providers
from llmflow.providers.models.catalogue import load_model_catalogue
from llmflow.providers.wrappers import wrap_providers
from llmflow.testing import ScriptedProvider, activities_of, assert_replays
from llmflow.types.providers import Provider
from llmflow.types.steps import Wait
from llmflow.worker import LLMFlowPlugin
from tests.helpers.model_server import ModelServer, Reply
from tests.helpers.waiting import until
from tests.integration.conftest import Hello
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask
from tests.integration.hello.workflows import Asked, Impatient

DOWN = Reply.error(503, headers={"retry-after-ms": "10"})
GOOD = Reply.text("good day")


@pytest.fixture
async def first() -> AsyncIterator[ModelServer]:
    async with ModelServer(GOOD) as server:
        yield server


@pytest.fixture
async def second() -> AsyncIterator[ModelServer]:
    async with ModelServer(GOOD) as server:
        yield server


class Serve(Protocol):
    def __call__(self, models: str, *, failures: int = 5, pause: float = 30) -> AbstractAsyncContextManager[Client]: ...


@pytest.fixture
def serve(temporal: str, first: ModelServer, second: ModelServer, tmp_path: Path) -> Serve:
    """A client whose runs are served with this models.yaml, in which `FIRST` and `SECOND` are the two vendors."""

    @asynccontextmanager
    async def serving(models: str, *, failures: int = 5, pause: float = 30) -> AsyncGenerator[Client]:
        path = tmp_path / "models.yaml"
        path.write_text(models.replace("FIRST", first.url).replace("SECOND", second.url))
        known = load_model_catalogue(path)
        providers: Mapping[str, Provider] = connect_providers(known, {})
        if failures == 5:
            providers = wrap_providers(providers, known)
        else:
            providers = {name: Breaker(one, name, failures=failures, pause=pause) for name, one in providers.items()}
        settings = Settings(home=tmp_path)
        plugin = LLMFlowPlugin(app, settings=settings, models=known, providers=providers)
        connected = (await connect(address=temporal, plugin=plugin)).temporal
        queue = f"limits-{uuid.uuid4()}"
        try:
            async with Worker(connected, task_queue=queue, workflows=app.workflows):
                yield Client(connected, queue)
        finally:
            for provider in providers.values():
                await provider.close()

    return serving


async def refusals(run: Run[Any]) -> list[tuple[str, ApplicationErrorCategory.ValueType]]:
    """Return the failures of a run's attempts and activities before the last one: type and category."""
    found: list[tuple[str, ApplicationErrorCategory.ValueType]] = []
    for event in (await run.handle.fetch_history()).events:
        started, failed = event.activity_task_started_event_attributes, event.activity_task_failed_event_attributes
        for failure in (started.last_failure, failed.failure):
            if failure.HasField("application_failure_info"):
                info = failure.application_failure_info
                found.append((info.type.removeprefix("llmflow."), info.category))
    return found


BENIGN = ApplicationErrorCategory.APPLICATION_ERROR_CATEGORY_BENIGN
TWO_VENDORS = """
providers: {first: {api: chat, base_url: FIRST}, second: {api: chat, base_url: SECOND}}
models: {smart: ["first:a", "second:b"], fast: "first:a"}
"""


@pytest.mark.parametrize("attempts", [4, 1], ids=["Temporal waits", "the workflow waits"])
async def test_runs_beyond_a_limit_wait_and_all_end(serve: Serve, first: ModelServer, attempts: int) -> None:
    limits = "limits: {requests: 2/4 seconds}"
    models = (
        f"providers: {{first: {{api: chat, base_url: FIRST, {limits}}}}}\nmodels: {{smart: 'first:a', fast: smart}}"
    )
    async with serve(models) as client:
        asked = Ask(attempts=attempts)
        runs = await asyncio.gather(*(client.start(Asked.run, asked, id=str(uuid.uuid4())) for _ in range(5)))
        answers = await asyncio.gather(*(run.result() for run in runs))

        assert [answer["text"] for answer in answers] == ["good day"] * 5
        assert first.count == 5
        refused = [refusal for run in runs for refusal in await refusals(run)]
        assert refused
        assert set(refused) == {("LimitReached", BENIGN)}
        for run in runs:
            await assert_replays(run, app)


async def test_a_broken_vendor_is_not_asked_again_and_the_next_one_answers_at_once(
    serve: Serve, first: ModelServer, second: ModelServer
) -> None:
    first.default = DOWN
    async with serve(TWO_VENDORS, failures=2, pause=600) as client:
        opening = await client.start(Asked.run, Ask(attempts=2), id=str(uuid.uuid4()))
        await opening.result()
        assert first.count == 2

        runs = [await client.start(Asked.run, Ask(attempts=4), id=str(uuid.uuid4())) for _ in range(3)]
        for run in runs:
            assert (await run.result())["text"] == "good day"
            assert await activities_of(run) == ["complete#1", "complete#2"]
            assert await refusals(run) == [("CircuitOpen", BENIGN)]
            await assert_replays(run, app)
        assert (first.count, second.count) == (2, 4)


async def test_when_every_vendor_is_broken_a_run_waits_until_one_is_back(
    serve: Serve, first: ModelServer, second: ModelServer
) -> None:
    first.default = second.default = DOWN
    async with serve(TWO_VENDORS, failures=2, pause=2) as client:
        run = await client.start(Asked.run, Ask(attempts=50), id=str(uuid.uuid4()))
        await second.arrived(3)  # both are broken, and have been tried again in vain

        async def waits() -> Sequence[Wait]:
            return (await run.progress()).waits

        [wait] = await until(waits)
        assert "CircuitOpen: " in wait.reason
        assert "times in a row" in wait.reason

        second.default = GOOD
        assert (await run.result())["model"] == "second:gpt-5.4-2026-03-05"
        await assert_replays(run, app)


@pytest.mark.parametrize(("name", "model"), [("ana", "small"), ("x" * 3000, "middle"), ("x" * 9000, "large")])
async def test_the_size_of_the_input_chooses_the_candidate(
    serve: Serve, first: ModelServer, name: str, model: str
) -> None:
    models = """
providers: {first: {api: chat, base_url: FIRST}}
models:
  smart: [{model: "first:small", up_to: 500}, {model: "first:middle", up_to: 1000}, {model: "first:large", up_to: 2000}]
  fast: smart
"""
    async with serve(models) as client:
        run = await client.start(Asked.run, Ask(variables={"name": name}), id=str(uuid.uuid4()))
        await run.result()
        assert [request.json["model"] for request in first.requests] == [model]
        await assert_replays(run, app)


@pytest.mark.parametrize("refusal", [LimitReached("no room"), CircuitOpen("broken"), StoreUnavailable("locked")])
async def test_what_was_refused_in_the_end_is_asked_again(hello: Hello, refusal: LLMFlowError) -> None:
    async with hello(ScriptedProvider([refusal, "good day"])) as env:
        run = await env.client.start(Asked.run, Ask(attempts=1), id=env.id())
        assert (await run.result())["id"] == "complete#2"
        await assert_replays(run, app)


async def test_but_not_for_ever(hello: Hello) -> None:
    provider = ScriptedProvider([CircuitOpen("broken")] * 2)
    async with hello(provider) as env:
        run = await env.client.start(Impatient.run, 1, id=env.id())
        with pytest.raises(RunNotCompleted) as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, CircuitOpen)
        assert await activities_of(run) == ["complete#1", "complete#2"]
