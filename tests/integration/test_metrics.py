"""Metrics of a whole worker, scraped over HTTP: the real SDK, a real vendor on this machine, a real run."""

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import Worker

from llmflow import worker
from llmflow.client import Client, connect
from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.telemetry.metrics import (
    BUCKETS,
    CALL_SECONDS,
    COST_USD,
    FAILURES,
    REFUSALS,
    STUCK_RUNS,
    TOKENS,
    UNPRICED_CALLS,
)
from llmflow.testing import ScriptedProvider
from llmflow.worker import LLMFlowPlugin
from tests.helpers.model_server import ModelServer, Reply, responses_answer
from tests.integration.traced import Retried, app

USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 120,
}
GOOD = Reply.json(responses_answer("good day", usage=USAGE))
UNPRICED = Reply.json(responses_answer("good day", model="a-model-of-nobody", usage=USAGE))


DIRECTIONS = ("input", "output", "cached", "cache_write", "reasoning")


class Scraped:
    """Series by their name, each with its labels and its value."""

    def __init__(self, text: str) -> None:
        self.text = text
        found = re.findall(r"^(\w+)\{(.*)\} ([\d.e+-]+)$", text, re.MULTILINE)
        self._series = [
            (name, dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)) for name, labels, value in found
        ]

    def sum(self, name: str, **labels: str) -> float:
        """Sum all series with these labels."""
        return sum(value for found, has, value in self._series if found == name and labels.items() <= has.items())

    def labels(self, name: str) -> set[str]:
        return {label for found, has, _ in self._series if found == name for label in has}

    def buckets(self, name: str) -> list[float]:
        return sorted({float(has["le"]) for found, has, _ in self._series if found == f"{name}_bucket"})


async def test_counters_have_their_suffix_once(
    temporal: str, unused_tcp_port_factory: Callable[[], int], tmp_path: Path
) -> None:
    address = f"127.0.0.1:{unused_tcp_port_factory()}"
    prometheus = PrometheusConfig(bind_address=address, counters_total_suffix=True)
    plugin = LLMFlowPlugin(
        app,
        settings=Settings(home=tmp_path),
        models=ModelCatalogue.only("scripted"),
        providers={"scripted": ScriptedProvider(lambda _: "good day")},
    )
    runtime, queue = Runtime(telemetry=TelemetryConfig(metrics=prometheus)), f"metrics-{uuid.uuid4()}"
    connected = await connect(address=temporal, plugin=plugin, runtime=runtime)
    async with Worker(connected.temporal, task_queue=queue, workflows=app.workflows):
        run = await Client(connected.temporal, queue).start(Retried.run, 1, id=queue)
        assert await run.result() == "good day"
        async with httpx.AsyncClient() as http:
            text = (await http.get(f"http://{address}/metrics")).text
    assert Scraped(text).labels(f"{TOKENS}_total")
    assert not re.findall(r"llmflow_\w*total_total", text)


@pytest.fixture
async def vendor(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ModelServer]:
    async with ModelServer(GOOD) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        yield server


@asynccontextmanager
async def serving(temporal: str, address: str) -> AsyncGenerator[Client]:
    """A client whose runs are served by a whole worker with its metrics at `address`."""
    queue, ready, stop = f"metrics-{uuid.uuid4()}", asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(
        worker.run(app, address=temporal, task_queues=[queue], metrics=address, ready=lambda _: ready.set(), stop=stop)
    )
    await asyncio.wait([task, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    yield Client((await connect(address=temporal)).temporal, queue)
    stop.set()
    await task


async def test_tokens_cost_latency_and_failures_by_model_and_prompt_version(
    temporal: str, vendor: ModelServer, unused_tcp_port_factory: Callable[[], int]
) -> None:
    address = f"127.0.0.1:{unused_tcp_port_factory()}"
    vendor.script(Reply.error(429, headers={"retry-after-ms": "10"}), GOOD, UNPRICED)
    async with serving(temporal, address) as client:
        runs = [await client.start(Retried.run, 2, id=str(uuid.uuid4())) for _ in range(3)]
        for run in runs:
            assert await run.result() == "good day"
        spent = sum([float((await run.usage()).total.usd) for run in runs])
        async with httpx.AsyncClient() as http:
            found = Scraped((await http.get(f"http://{address}/metrics")).text)

    tokens = {name: found.sum(TOKENS, direction=name, model="openai:gpt-first") for name in DIRECTIONS}
    assert tokens == {"input": 300, "output": 60, "cached": 180, "cache_write": 30, "reasoning": 15}
    assert found.sum(f"{COST_USD}_sum", prompt="traced/greet") == pytest.approx(spent)
    assert found.sum(f"{COST_USD}_count") == 2
    assert found.sum(UNPRICED_CALLS) == 1
    assert found.sum(f"{CALL_SECONDS}_count", outcome="answered") == 3
    assert found.sum(f"{CALL_SECONDS}_count", outcome="failed") == 1
    assert found.sum(FAILURES, error="RateLimited") == found.sum(FAILURES) == 1
    assert found.sum(REFUSALS) == 0


async def test_labels_stay_few_and_buckets_are_ours(
    temporal: str, vendor: ModelServer, unused_tcp_port_factory: Callable[[], int]
) -> None:
    address = f"127.0.0.1:{unused_tcp_port_factory()}"
    async with serving(temporal, address) as client:
        run = await client.start(Retried.run, 1, id=str(uuid.uuid4()), tenant="acme", tags=["nightly"])
        await run.result()
        text = ""
        async with httpx.AsyncClient() as http:
            while STUCK_RUNS not in text:  # counted beside the runs
                text = (await http.get(f"http://{address}/metrics")).text
    found = Scraped(text)
    ours = {"model", "prompt", "version"}
    temporals = {"activity_type", "namespace", "task_queue", "service_name"}
    assert found.labels(TOKENS) == ours | temporals | {"direction"}
    assert found.labels(f"{COST_USD}_sum") == ours | temporals
    assert found.labels(f"{CALL_SECONDS}_sum") == ours | temporals | {"outcome"}
    assert found.labels(STUCK_RUNS) == {"namespace", "task_queue", "service_name"}
    assert found.sum(STUCK_RUNS) == 0
    for name, bounds in BUCKETS.items():
        assert found.buckets(name) == [*bounds, float("inf")]
    assert run.id not in text
    assert "acme" not in text
