"""Signals and updates that come before the first line of a run: carried state is restored before them."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

from llmflow.client import Client, Run
from llmflow.config import Settings
from llmflow.errors import RunNotFound
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider, activities_of, assert_replays
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until
from tests.integration.carrying import Awaited, app


class Workers:
    """A client, and workers on two task queues."""

    def __init__(self, temporal: TemporalClient) -> None:
        self.temporal = temporal
        self.first, self.second = (f"early-{uuid.uuid4()}" for _ in range(2))

    def worker(self, queue: str) -> Worker:
        return Worker(self.temporal, task_queue=queue, workflows=app.workflows, max_cached_workflows=0)

    async def continued(self) -> Run[list[str]]:
        """The second run, which no worker has seen yet, after a first one that reserved."""
        async with self.worker(self.first):
            run = await Client(self.temporal, self.first).start(Awaited.run, self.second, id=self.first)
            while (found := await self.latest().status()).run_id == run.run_id:
                await asyncio.sleep(0.05)
            assert await activities_of(Client(self.temporal, self.first).run(run.id, run.run_id)) == ["reserve#1"]
        return Client(self.temporal, self.second).run(run.id, found.run_id)

    def latest(self) -> Run[Any]:
        return Client(self.temporal, self.first).run(self.first)

    async def ends(self, run: Run[Any], reserved: list[str]) -> None:
        """With one activity for each call, none of which has the id of another."""
        assert sorted(await run.result()) == ["a room is reserved", "a table is reserved"]
        assert sorted(await activities_of(run)) == reserved
        await assert_replays(run, app)


@pytest.fixture
async def workers(temporal: str, tmp_path: Path) -> Workers:
    plugin = LLMFlowPlugin(
        app,
        settings=Settings(home=tmp_path, store=None),
        models=ModelCatalogue.only("scripted"),
        providers={"scripted": ScriptedProvider([])},
    )
    return Workers(await TemporalClient.connect(temporal, plugins=[plugin]))


async def _exists(run: Run[Any]) -> bool:
    try:
        return bool(await run.status())
    except RunNotFound:
        return False


async def test_a_signal_before_the_first_task_of_a_continued_run(workers: Workers) -> None:
    run = await workers.continued()
    await run.handle.signal(Awaited.signalled, "a table")
    async with workers.worker(workers.second):
        await workers.ends(run, ["reserve#2", "reserve#3"])


async def test_an_update_before_the_first_task_of_a_continued_run(workers: Workers) -> None:
    run = await workers.continued()
    update = asyncio.create_task(run.handle.execute_update(Awaited.updated, "a table"))
    await asyncio.sleep(0.2)  # it waits for a worker, and nobody can see that
    async with workers.worker(workers.second):
        await workers.ends(run, ["reserve#2", "update/reserve#1"])
        assert await update == "a table is reserved"


async def test_a_signal_that_comes_with_the_start(workers: Workers) -> None:
    handle = await workers.temporal.start_workflow(
        Awaited.run,
        "",
        id=workers.first,
        task_queue=workers.first,
        start_signal="signalled",
        start_signal_args=["a table"],
    )
    async with workers.worker(workers.first):
        await workers.ends(Client(workers.temporal, workers.first).run(handle.id), ["reserve#1", "reserve#2"])


async def test_an_update_that_comes_with_the_start(workers: Workers) -> None:
    start = WithStartWorkflowOperation(
        Awaited.run, "", id=workers.first, task_queue=workers.first, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
    )
    update = asyncio.create_task(
        workers.temporal.execute_update_with_start_workflow(Awaited.updated, "a table", start_workflow_operation=start)
    )
    await until(lambda: _exists(workers.latest()))  # and with it the update
    async with workers.worker(workers.first):
        await update
        await workers.ends(
            Client(workers.temporal, workers.first).run(workers.first), ["reserve#1", "update/reserve#1"]
        )
