"""Failures of vendors, from the socket to the workflow: a real client, a real HTTP server, a real run."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.api.history.v1 import ActivityTaskStartedEventAttributes

from llmflow import worker
from llmflow.client import Client, Run, connect
from llmflow.errors import (
    AuthenticationFailed,
    ContentRefused,
    LLMFlowError,
    ModelNotFound,
    ProviderUnavailable,
    RequestRejected,
    RunNotCompleted,
)
from llmflow.testing import activities_of, assert_replays
from tests.helpers.model_server import DROPPED, RESET, SILENCE, ModelServer, Reply
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask
from tests.integration.hello.workflows import Asked

GOOD = Reply.text("good day")


@pytest.fixture
async def vendor() -> AsyncIterator[ModelServer]:
    async with ModelServer(GOOD) as server:
        yield server


@pytest.fixture
async def client(temporal: str, vendor: ModelServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """A client whose runs are served by a whole worker, with the vendor behind `openai`."""
    monkeypatch.setenv("OPENAI_BASE_URL", vendor.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    queue, ready, stop = f"vendor-{uuid.uuid4()}", asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(
        worker.run(app, address=temporal, task_queues=[queue], ready=lambda _: ready.set(), stop=stop)
    )
    await asyncio.wait([serving, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    yield Client((await connect(address=temporal)).temporal, queue)
    stop.set()
    await serving


async def started(run: Run[Any]) -> list[ActivityTaskStartedEventAttributes]:
    """The attempt that counted of each activity: its number, and what the one before it died of."""
    history = await run.handle.fetch_history()
    return [
        event.activity_task_started_event_attributes
        for event in history.events
        if event.HasField("activity_task_started_event_attributes")
    ]


@pytest.mark.parametrize(
    ("bad", "failure"),
    [
        (Reply.error(429, headers={"retry-after-ms": "10"}), "llmflow.RateLimited"),
        (Reply.error(500), "llmflow.ProviderUnavailable"),
        (Reply.error(529), "llmflow.ProviderUnavailable"),
        (Reply.error(400, headers={"x-should-retry": "true", "retry-after-ms": "10"}), "llmflow.RequestRejected"),
        (Reply(answer="cut", send=300, then="close"), "llmflow.AnswerLost"),
        (DROPPED, "llmflow.AnswerLost"),
        (RESET, "llmflow.AnswerLost"),
    ],
    ids=["429", "500", "529", "400 that says retry", "truncated", "dropped", "reset"],
)
async def test_what_passes_is_tried_again(vendor: ModelServer, client: Client, bad: Reply, failure: str) -> None:
    vendor.script(bad)
    run = await client.start(Asked.run, Ask(attempts=2), id=str(uuid.uuid4()))

    assert (await run.result())["model"].startswith("openai:gpt-5.4")
    [attempt] = await started(run)
    assert attempt.attempt == 2
    assert attempt.last_failure.application_failure_info.type == failure
    assert attempt.last_failure.ByteSize() < 1_500, "above 4,096 Temporal keeps no type"
    assert vendor.count == 2
    await assert_replays(run, app)


async def test_the_vendors_delay_is_what_temporal_waits(vendor: ModelServer, client: Client) -> None:
    vendor.script(Reply.error(429, headers={"retry-after": "1"}))
    run = await client.start(Asked.run, Ask(attempts=2), id=str(uuid.uuid4()))

    await run.result()
    [attempt] = await started(run)
    delay = attempt.last_failure.application_failure_info.next_retry_delay.ToTimedelta()
    assert 1 <= delay.total_seconds() <= 1.2  # with the jitter that keeps a fleet from coming back at once


@pytest.mark.parametrize(
    ("bad", "error", "model_helps"),
    [
        (Reply.error(401, "invalid_api_key"), AuthenticationFailed, True),
        (Reply.error(404, "model_not_found"), ModelNotFound, True),
        (Reply.error(400, "content_policy_violation"), ContentRefused, True),
        (Reply.error(422), RequestRejected, False),
    ],
)
async def test_what_stays_is_asked_once_and_then_of_the_next_candidate_where_it_can_help(
    vendor: ModelServer, client: Client, bad: Reply, error: type[LLMFlowError], model_helps: bool
) -> None:
    vendor.script(bad)
    run = await client.start(Asked.run, Ask(attempts=4), id=str(uuid.uuid4()))
    if model_helps:
        assert (await run.result())["text"] == "good day"
        assert [request.json["model"] for request in vendor.requests] == ["gpt-first", "gpt-second"]
        assert await activities_of(run) == ["complete#1", "complete#2"]
    else:
        with pytest.raises(RunNotCompleted) as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, error)
        assert vendor.count == 1
    await assert_replays(run, app)


async def test_after_the_last_attempt_the_next_candidate_is_asked(vendor: ModelServer, client: Client) -> None:
    down = Reply.error(503, headers={"retry-after-ms": "10"})
    vendor.script(down, down)
    run = await client.start(Asked.run, Ask(attempts=2), id=str(uuid.uuid4()))

    assert (await run.result())["text"] == "good day"
    assert [request.json["model"] for request in vendor.requests] == ["gpt-first", "gpt-first", "gpt-second"]
    assert await activities_of(run) == ["complete#1", "complete#2"]
    await assert_replays(run, app)


async def test_attempts_are_finite_and_the_last_error_is_typed(vendor: ModelServer, client: Client) -> None:
    vendor.default = Reply.error(503, headers={"retry-after-ms": "10"})
    ask = Ask(prompt="hello/part", attempts=3)
    run = await client.start(Asked.run, ask, id=str(uuid.uuid4()))

    with pytest.raises(RunNotCompleted, match="ProviderUnavailable") as failed:
        await run.result()
    cause = failed.value.__cause__
    assert isinstance(cause, ProviderUnavailable)
    assert cause.detail.status == 503
    assert vendor.count == 3


async def test_a_silent_vendor_is_given_up_before_the_next_attempt_begins(vendor: ModelServer, client: Client) -> None:
    vendor.script(SILENCE)
    ask = Ask(prompt="hello/part", attempts=2, seconds=2)
    run = await client.start(Asked.run, ask, id=str(uuid.uuid4()))

    assert (await run.result())["text"] == "good day"
    [attempt] = await started(run)
    assert attempt.last_failure.application_failure_info.type == "llmflow.AnswerLost"
    assert vendor.abandoned == 1


@pytest.mark.parametrize("end", ["cancel", "terminate"])
async def test_ending_a_run_closes_its_request(vendor: ModelServer, client: Client, end: str) -> None:
    vendor.default = SILENCE
    run = await client.start(Asked.run, Ask(seconds=600), id=str(uuid.uuid4()))
    await vendor.arrived(1)

    await (run.cancel() if end == "cancel" else run.terminate("seen enough"))

    await vendor.left(1)
    with pytest.raises(RunNotCompleted, match=f"was {end}"):
        await run.result()
    assert vendor.count == 1
