"""Notifications of a worker's webhook while runs ask for approval, and their confidentiality."""

import base64
import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook as Receiver
from temporalio.worker import Worker

from llmflow.client import Client, Run, connect
from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider, activities_of, approve_when_asked, assert_replays, environment
from llmflow.worker import LLMFlowPlugin
from tests.helpers.model_server import ModelServer, Reply
from tests.helpers.waiting import until
from tests.integration.desk import Publish, Urgent, app

SECRET = f"whsec_{base64.b64encode(b'planted secret, 32 bytes of it..').decode()}"


@dataclass
class Told:
    """A receiver, and a client whose worker tells it."""

    receiver: ModelServer
    client: Client

    async def events(self, count: int) -> list[dict[str, Any]]:  # Any: JSON
        """The first notifications, as the receiver's library reads them."""
        await self.receiver.arrived(count)
        return [Receiver(SECRET).verify(one.body, dict(one.headers)) for one in self.receiver.requests[:count]]


@asynccontextmanager
async def served(temporal: str, home: Path) -> AsyncGenerator[Told]:
    async with ModelServer(Reply.json({})) as receiver:
        settings = Settings(home=home, webhook=f"{receiver.url}/hook", webhook_secret=SecretStr(SECRET))
        plugin = LLMFlowPlugin(app, settings=settings, models=ModelCatalogue.only("scripted"), providers={})
        connected = await connect(address=temporal, plugin=plugin)
        queue = f"told-{uuid.uuid4()}"
        async with Worker(connected.temporal, task_queue=queue, workflows=app.workflows):
            yield Told(receiver, Client(connected.temporal, queue))


async def test_a_question_is_told_until_it_is_answered(temporal: str, tmp_path: Path) -> None:
    async with served(temporal, tmp_path) as told:
        run = await told.client.start(Urgent.run, id=f"urgent-{uuid.uuid4()}", tenant="acme")
        asked, reminded, escalated = await told.events(3)
        assert (asked["event"], asked["run"], asked["workflow"]) == ("asked", run.id, "Urgent")
        assert asked["command"] == f"llmflow approvals approve {run.id} 'urgent#1' --by ana"
        assert asked["origin"]["tenant"] == "acme"
        assert asked["question"]["approvers"] == ["ana"]
        assert reminded["event"] == "reminded"
        assert (escalated["event"], escalated["question"]["approvers"]) == ("escalated", ["ana", "bo"])
        await approve_when_asked(run, "urgent", by="bo")
        assert await run.result() == "bo"
        await assert_replays(run, app)


async def test_what_is_too_large_to_be_told_is_left_out_and_people_learn_of_it_all_the_same(
    temporal: str, tmp_path: Path
) -> None:
    async with served(temporal, tmp_path) as told:
        run = await told.client.start(Publish.run, "x" * 600_000, id=f"told-{uuid.uuid4()}")
        [asked] = await told.events(1)
        assert asked["question"]["payload"].endswith("bytes, too much to be shown here)")
        assert asked["question"]["details"].startswith("Publish **x")
        await approve_when_asked(run, "publish")
        await run.result()


async def test_a_receiver_that_is_down_is_told_later_and_no_run_waits_for_it(temporal: str, tmp_path: Path) -> None:
    async with served(temporal, tmp_path) as told:
        told.receiver.script(Reply(status=503))
        run = await told.client.start(Publish.run, "one", id=f"told-{uuid.uuid4()}")
        await told.receiver.arrived(2)
        first, second = told.receiver.requests
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        await approve_when_asked(run, "publish")
        await run.result()


async def test_a_receiver_that_says_no_is_told_once(temporal: str, tmp_path: Path) -> None:
    async with served(temporal, tmp_path) as told:
        told.receiver.script(Reply(status=400))
        run = await told.client.start(Publish.run, "one", id=f"told-{uuid.uuid4()}")
        failed = await until(lambda: _failures(run))
        assert failed == [
            "the webhook at 127.0.0.1 answers 400, so it is not retried: check LLMFLOW_WEBHOOK and its receiver"
        ]
        await approve_when_asked(run, "publish")
        await run.result()
        assert told.receiver.count == 1


async def _failures(run: Run[str]) -> list[str]:
    history = await run.handle.fetch_history()
    return [
        event.activity_task_failed_event_attributes.failure.message
        for event in history.events
        if event.HasField("activity_task_failed_event_attributes")
    ]


async def test_the_secret_is_in_no_history_and_no_log(
    temporal: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with served(temporal, tmp_path) as told:
        told.receiver.script(Reply(status=500), Reply(status=400))
        run = await told.client.start(Publish.run, "one", id=f"told-{uuid.uuid4()}")
        await until(lambda: _failures(run))
        await approve_when_asked(run, "publish")
        await run.result()
        history = (await run.handle.fetch_history()).to_json()
    signatures = [one.headers["webhook-signature"] for one in told.receiver.requests]
    key = base64.b64decode(SECRET.removeprefix("whsec_")).decode()
    for secret in (SECRET, SECRET.removeprefix("whsec_"), key, *signatures):
        assert secret not in history
        assert secret not in caplog.text


async def test_without_a_webhook_nobody_is_told(temporal: str, tmp_path: Path) -> None:
    plugin = LLMFlowPlugin(app, settings=Settings(home=tmp_path), models=ModelCatalogue.only("scripted"), providers={})
    connected = await connect(address=temporal, plugin=plugin)
    async with Worker(connected.temporal, task_queue="quiet", workflows=app.workflows):
        run = await Client(connected.temporal, "quiet").start(Publish.run, "one", id=f"quiet-{uuid.uuid4()}")
        await approve_when_asked(run, "publish")
        await run.result()
        assert "llmflow.notify" not in (await run.handle.fetch_history()).to_json()


async def test_a_test_does_not_tell_the_webhook_of_whoever_runs_it(
    temporal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMFLOW_WEBHOOK", "http://127.0.0.1:1/hook")
    monkeypatch.setenv("LLMFLOW_WEBHOOK_SECRET", SECRET)
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        run = await env.client.start(Publish.run, "one", id=env.id())
        await approve_when_asked(run, "publish")
        await run.result()
        assert await activities_of(run) == ["reach#1"]
