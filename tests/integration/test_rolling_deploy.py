"""A rolling deploy: old and new workers serve one queue, and no open run fails or is stuck."""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.worker import Worker

from llmflow.app import App
from llmflow.client import Client, Run, connect
from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.entries import ProviderEntry
from llmflow.testing import ScriptedProvider, activities_of, assert_replays
from llmflow.testing.time import skip
from llmflow.types.providers import Provider
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until
from tests.integration.rolling import After, older, weigh

SHORT, LONG = 20, 100
PAUSES = timedelta(minutes=20)
CALLS = {"complete#1", "weigh#1", "complete#2", "render#1", "complete#3"}


@pytest.fixture
def newer(tmp_path: Path) -> App:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/print.prompt").write_text("user:\nPrint {{ parcel }}.\n")
    return replace(older, workflows=[After], tools=[weigh], prompts=tmp_path / "prompts")


@asynccontextmanager
async def serving(app: App, address: str, home: Path, queue: str, *providers: str) -> AsyncGenerator[Client]:
    """A worker with some providers, in the mode of `llmflow worker`."""
    scripted: dict[str, Provider] = {name: ScriptedProvider(lambda _: '{"text": "to Ana"}') for name in providers}
    settings = Settings(home=home, store=str(home / "llmflow.db"))
    models = ModelCatalogue(providers={name: ProviderEntry(api="chat") for name in providers}, aliases={})
    plugin = LLMFlowPlugin(app, settings=settings, models=models, providers=scripted)
    client = await connect(address=address, plugin=plugin)
    async with Worker(
        client.temporal,
        task_queue=queue,
        workflows=app.workflows,
        activities=plugin.calls,
    ):
        yield Client(client.temporal, queue, settings.store_url)


async def test_no_run_fails_or_is_stuck(temporal: str, tmp_path: Path, newer: App, soak: bool) -> None:
    queue, half = f"rolling-{uuid.uuid4()}", (LONG if soak else SHORT) // 2

    async def started(client: Client, batch: str) -> list[Run[list[str]]]:
        names = [f"{queue}-{batch}-{number}" for number in range(half)]
        return list(await asyncio.gather(*(client.start(After.run, "parcel", id=name) for name in names)))

    async with serving(newer, temporal, tmp_path, queue, "old", "new") as client:
        async with serving(older, temporal, tmp_path, queue, "old") as before:
            runs = [*await started(before, "early"), *await started(client, "late")]
            await asyncio.gather(*(run.handle.signal(After.release) for run in runs))
            await until(lambda: lacks_something(runs[0]))  # a call, or a pin: whichever the older worker took
        await asyncio.gather(*(skip(client.temporal, run, PAUSES) for run in runs))
        results = await asyncio.gather(*(run.result() for run in runs))
    assert results == [["to Ana"] * 3 + ["new:script", "6", "Print parcel."]] * (2 * half)
    scheduled = [
        # A prompt that the worker lacks is pinned by another one; others are pinned where the workflow runs.
        [call for call in await activities_of(run) if not call.startswith("resolve")]
        for run in runs
    ]
    assert [{*one} for one in scheduled] == [CALLS] * len(runs)
    for run in (runs[0], runs[-1]):
        await assert_replays(run, newer)


async def lacks_something(run: Run[list[str]]) -> bool:
    """Return True if the run waits for a worker that has what another one refused; or if it is too late to see it."""
    return bool((await run.progress()).waits) or (await run.status()).state != "running"
