"""Workers of one queue that differ: what one lacks, another does."""

import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from temporalio import activity
from temporalio.client import Client as TemporalClient
from temporalio.worker import Worker

from llmflow.app import App
from llmflow.client import Client, connect
from llmflow.config import Settings
from llmflow.errors import RunNotCompleted
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.entries import ProviderEntry
from llmflow.stores.database import Database
from llmflow.stores.schema import calls
from llmflow.testing import ScriptedProvider, activities_of, assert_replays
from llmflow.testing.time import skip
from llmflow.types.wire import calls_queue
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until
from tests.integration.fleet import Deliver, Impatient, Return, older, pay_back, weigh

PAUSES = timedelta(minutes=20)
"""Each call goes to the old or the new worker by chance: time for 24 of them."""


@pytest.fixture
def newer(tmp_path: Path) -> App:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/label.prompt").write_text("user:\nLabel {{ parcel }}.\n")
    return replace(older, tools=[*older.tools, weigh, pay_back], prompts=tmp_path / "prompts")


@asynccontextmanager
async def serving(
    app: App, temporal: str, home: Path, queue: str, provider: str, *, calls: bool = True, alone: bool = False
) -> AsyncGenerator[Client]:
    """A worker of the queue, with one provider; `alone` as `worker.run` makes it, with nothing but llmflow."""
    settings = Settings(home=home, store=str(home / "llmflow.db"))
    plugin = LLMFlowPlugin(
        app,
        settings=settings,
        models=ModelCatalogue(providers={provider: ProviderEntry(api="chat")}, aliases={}),
        providers={provider: ScriptedProvider(lambda _: "hello")},
    )
    client = await connect(address=temporal, plugin=plugin)
    async with Worker(
        client.temporal,
        task_queue=queue,
        workflows=app.workflows,
        activities=plugin.calls if alone else (),
        no_remote_activities=not calls,
    ):
        yield Client(client.temporal, queue, settings.store_url)


async def outcomes(home: Path) -> list[str]:
    async with Database(str(home / "llmflow.db")) as database:
        return list(await database.read(lambda connection: connection.scalars(select(calls.c.outcome)).all()))


@pytest.mark.parametrize("alone", [(False, False), (True, True), (False, True)])
async def test_what_an_older_worker_lacks_is_done_by_a_newer_one(
    temporal: str, tmp_path: Path, newer: App, alone: tuple[bool, bool]
) -> None:
    queue = str(uuid.uuid4())
    async with serving(older, temporal, tmp_path, queue, "old", alone=alone[0]) as client:
        run = await client.start(Deliver.run, "parcel", id=queue)

        async def lacking() -> bool:
            waits = str([wait.reason for wait in (await run.progress()).waits])
            return "no worker here serves tool 'weigh'" in waits and "no provider 'new'" in waits

        await until(lacking)
        async with serving(newer, temporal, tmp_path, queue, "new", alone=alone[1]):
            await skip(client.temporal, run, PAUSES)
            assert await run.result() == ["6", "new:script", "Label parcel."], "a refusal is not the one attempt"
    asked = list(dict.fromkeys(await activities_of(run)))
    assert asked[:2] == ["weigh#1", "resolve#1"], "a call that is made again keeps its address"
    assert "complete#1" in asked
    assert "complete#2" not in asked
    assert await outcomes(tmp_path) == ["answered"], "a worker that lacks the model leaves no row"
    await assert_replays(run, newer)


async def test_a_compensation_waits_for_its_tool_while_the_others_go_on(
    temporal: str, tmp_path: Path, newer: App
) -> None:
    queue = str(uuid.uuid4())
    async with serving(older, temporal, tmp_path, queue, "old") as client:
        run = await client.start(Return.run, "parcel", id=queue)

        async def stands() -> dict[str, str]:
            found = {one.name: one for one in (await run.progress()).compensations}
            if found and found["fetch_back"].status == "undone":
                return {found["pay_back"].status: found["pay_back"].error or ""}
            return {}

        [(status, error)] = (await until(stands)).items()
        assert status == "undoing"
        assert "no worker here serves tool 'pay_back'" in error
        await skip(client.temporal, run, timedelta(hours=3))
        assert (await run.status()).state == "running", "longer than any other compensation is tried"
    async with serving(newer, temporal, tmp_path, queue, "new"):
        await skip(client.temporal, run, timedelta(hours=1))
        with pytest.raises(RunNotCompleted, match="parcel: no"):
            await run.result()
        assert [one.status for one in (await run.progress()).compensations] == ["undone", "undone"]
    await assert_replays(run, newer)


async def test_a_call_that_no_worker_takes_in_its_time_fails(temporal: str, tmp_path: Path) -> None:
    queue = str(uuid.uuid4())
    async with serving(older, temporal, tmp_path, queue, "old") as client:
        run = await client.start(Impatient.run, id=queue)
        assert await run.result() == "no worker here serves tool 'weigh': add it to its App(tools=[...])"
        assert await activities_of(run) == ["weigh#1", "weigh#1"]
        await assert_replays(run, older)


@activity.defn
async def other() -> None:
    """Do something for another application."""


async def test_a_worker_without_our_activities_takes_no_call_away(temporal: str, tmp_path: Path, newer: App) -> None:
    queue = str(uuid.uuid4())
    plain = await TemporalClient.connect(temporal)
    async with (
        serving(newer, temporal, tmp_path, queue, "new", calls=False) as client,
        Worker(plain, task_queue=calls_queue(queue), activities=[other]),
    ):
        run = await client.start(Deliver.run, "parcel", id=queue)

        async def lacking() -> bool:
            waits = str([wait.reason for wait in (await run.progress()).waits])
            return "no worker here serves activity 'llmflow.complete'" in waits

        await until(lacking)
        async with serving(newer, temporal, tmp_path, queue, "new"):
            await skip(client.temporal, run, PAUSES)
            assert await run.result() == ["6", "new:script", "Label parcel."]
    await assert_replays(run, newer)
