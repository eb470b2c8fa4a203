"""Worker processes: stopped, killed, asked for their health; and what they never give away."""

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmflow import worker
from llmflow.client import Client, Run, connect
from llmflow.errors import ConfigInvalid, RunNotCompleted
from tests.helpers.model_server import SILENCE, ModelServer, Reply
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask
from tests.integration.hello.workflows import Asked

KEY = "sk-planted-6b1f0c9d2e7a4835"


@dataclass
class Process:
    """A worker process and all that it said."""

    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)

    async def until(self, word: str) -> None:
        assert self.process.stdout is not None
        while line := (await self.process.stdout.readline()).decode():
            self.said.append(line)
            if word in line:
                return
        raise AssertionError(f"the worker ended without saying {word!r}:\n{''.join(self.said)}")

    async def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.said.append((await self.process.stdout.read()).decode())
        return await self.process.wait()


@asynccontextmanager
async def process(temporal: str, vendor: ModelServer, queue: str, *options: str) -> AsyncGenerator[Process]:
    started = Process(
        await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.integration.hello", queue, *options),
            env={**os.environ, "TEMPORAL_ADDRESS": temporal, "OPENAI_BASE_URL": vendor.url, "OPENAI_API_KEY": KEY},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    )
    try:
        await started.until("ready")
        yield started
    finally:
        if started.process.returncode is None:
            started.process.kill()
            await started.process.wait()


@pytest.fixture
async def vendor() -> AsyncIterator[ModelServer]:
    async with ModelServer(Reply.text("good day")) as server:
        yield server


@pytest.fixture
async def client(temporal: str) -> Client:
    return Client((await connect(address=temporal)).temporal, task_queue=f"process-{uuid.uuid4()}")


@pytest.fixture
def queue(client: Client) -> str:
    assert client.task_queue is not None
    return client.task_queue


async def test_sigterm_lets_a_running_call_finish(
    temporal: str, vendor: ModelServer, client: Client, queue: str
) -> None:
    vendor.script(Reply.text("just in time", delay=2))
    async with process(temporal, vendor, queue) as first:
        run = await client.start(Asked.run, Ask(attempts=2), id=str(uuid.uuid4()))
        await vendor.arrived(1)
        assert await first.end(signal.SIGTERM) == 0
    async with process(temporal, vendor, queue):
        assert (await run.result())["text"] == "just in time"
    assert vendor.count == 1


async def test_kill_9_during_a_call_costs_a_retry_and_no_run(
    temporal: str, vendor: ModelServer, client: Client, queue: str
) -> None:
    vendor.script(SILENCE)
    async with process(temporal, vendor, queue), process(temporal, vendor, queue):
        run = await client.start(Asked.run, Ask(attempts=2, heartbeat=5), id=str(uuid.uuid4()))
        await vendor.arrived(1)
        [pending] = (await run.status()).pending
        assert (pending.id, pending.attempt) == ("complete#1", 1)
        [calling] = (await run.handle.describe()).raw_description.pending_activities
        os.kill(int(calling.last_worker_identity.partition("@")[0]), signal.SIGKILL)

        assert (await run.result())["text"] == "good day"
    assert vendor.count == 2


async def test_health_and_metrics(
    temporal: str, vendor: ModelServer, queue: str, unused_tcp_port_factory: Callable[[], int]
) -> None:
    health, metrics = (f"127.0.0.1:{unused_tcp_port_factory()}" for _ in range(2))
    vendor.script(SILENCE)
    async with process(temporal, vendor, queue, health, metrics) as one, httpx.AsyncClient() as http:
        answer = await http.get(f"http://{health}/health")
        assert (answer.status_code, answer.text) == (200, "ok\n")
        assert "temporal_" in (await http.get(f"http://{metrics}/metrics")).text
        assert await one.end(signal.SIGINT) == 0


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("health", "8080", "write it as host:port"),
        ("health", "127.0.0.1:99999", "write it as host:port"),
        ("metrics", "nonsense", "write it as host:port"),
    ],
)
async def test_addresses_that_cannot_be_used(
    temporal: str, monkeypatch: pytest.MonkeyPatch, option: str, value: str, says: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ConfigInvalid, match=says):
        await worker.run(app, address=temporal, **{option: value})  # type: ignore[arg-type]  keywords of a test


async def test_without_any_key_a_worker_does_not_start(temporal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigInvalid, match="no model has a key: set OPENAI_API_KEY, or LLMFLOW_MODELS=offline"):
        await worker.run(app, address=temporal)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("model: samrt", "prompt `hello/say`: models.yaml has no model .*smart"),
        ("model: opena:x", "prompt `hello/say`: .*no provider .*openai"),
        ("tools: [locat]", r"prompt `hello/say`: App 'hello' has no tool `locat` \(did you mean `locate`\?\)"),
    ],
)
async def test_a_prompt_that_names_what_is_not_there(
    temporal: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, says: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (tmp_path / "say.prompt").write_text(f"---\n{line}\n---\nuser:\nSay it.\n")
    with pytest.raises(ConfigInvalid, match=says):
        await worker.run(replace(app, prompts=tmp_path), address=temporal)


async def test_a_port_that_is_taken(temporal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ConfigInvalid, match="choose another address"):
        await worker.run(app, address=temporal, health=temporal)


async def has_key(run: Run[Any]) -> bool:  # Any: runs of every type
    events = (await run.handle.fetch_history()).events
    return any(KEY.encode() in event.SerializeToString() for event in events)  # as JSON, payloads would be base64


async def test_a_key_is_in_no_history_and_no_log(
    temporal: str, vendor: ModelServer, client: Client, queue: str
) -> None:
    echo = Reply.error(401, "invalid_api_key", f"Incorrect API key provided: {KEY}.")
    crash = Reply.error(500, message=f"crash while serving {KEY}")
    vendor.script(echo, echo, crash, Reply.text("good day"), Reply.text(f"the model itself says {KEY}"))
    async with process(temporal, vendor, queue) as one:
        refused = await client.start(Asked.run, Ask(attempts=2), id=str(uuid.uuid4()))
        with pytest.raises(RunNotCompleted) as failed:
            await refused.result()
        good = await client.start(Asked.run, Ask(attempts=2), id=str(uuid.uuid4()))
        await good.result()
        await one.end(signal.SIGTERM)
    async with process(temporal, vendor, queue):
        told = await client.start(Asked.run, Ask(attempts=2), id=str(uuid.uuid4()))
        await told.result()
    assert await has_key(told)  # or the looks into the others would prove nothing
    for request in vendor.requests:
        assert request.headers["authorization"] == f"Bearer {KEY}"
    for run in (refused, good):
        assert not await has_key(run)
    log = "".join(one.said)
    assert "AuthenticationFailed" in log
    assert KEY not in log
    assert KEY not in repr(failed.value)
