"""`config` of an App: its constants, which a run pins at their first use."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, JsonValue, RootModel
from temporalio import workflow
from temporalio.worker import Worker
from typing_extensions import TypedDict

from llmflow import flow
from llmflow.app import App
from llmflow.client import Client, Run, connect
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid, RunNotCompleted
from llmflow.testing import activities_of, assert_replays
from llmflow.tools import tool
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until


class Limits(BaseModel):
    """Constants of the App."""

    refund: int
    wait: timedelta = timedelta(0)


class Names(RootModel[list[str]]):
    """No object."""


class Refund(TypedDict):
    """Another type of the same."""

    refund: int


@dataclass
class Wanted:
    """A type that they do not fit."""

    refunds: int
    more: Limits = field(default_factory=lambda: Limits(refund=1))


@tool
async def pay(amount: int) -> int:
    """Pay."""
    return amount


@workflow.defn
class Below:
    """A child, of the same App or of another one."""

    @workflow.run
    async def run(self) -> int:
        return (await flow.config(Limits)).refund


@workflow.defn
class Above:
    """Both runs, their branches and their children see one config, whatever is deployed meanwhile."""

    def __init__(self) -> None:
        self.deployed = False

    @workflow.signal
    def go_on(self) -> None:
        self.deployed = True

    @workflow.run
    async def run(self, again: bool) -> list[int]:
        first, second = await asyncio.gather(flow.config(Limits), flow.config(dict[str, int | str]))
        assert first.refund == second["refund"]
        if again:
            await workflow.wait_condition(lambda: self.deployed)
            workflow.continue_as_new(False)
        async with flow.step("pay"):
            paid = await flow.call_tool(pay, first.refund)
        below: int = await workflow.execute_child_workflow(Below.run, id=f"{workflow.info().workflow_id}-below")
        return [paid, below, (await flow.config(Refund))["refund"]]


async def refund_of(_: int) -> int:
    """Read the config in a batch."""
    return (await flow.config(Limits)).refund


@workflow.defn
class Wide:
    """More items than one history holds."""

    @workflow.run
    async def run(self) -> int:
        found = await flow.fan_out(range(501), refund_of, limit=501)
        return sum(found.values) + (await flow.config(Limits)).refund


@workflow.defn
class Misfit:
    @workflow.run
    async def run(self) -> int:
        return (await flow.config(Wanted)).refunds


def app(refund: int) -> App:
    return App(name="shop", workflows=[Above, Below, Misfit, Wide], tools=[pay], config=Limits(refund=refund))


Serving = Callable[[App], AbstractAsyncContextManager[Client]]


@pytest.fixture
def serving(temporal: str, tmp_path: Path) -> Serving:
    """A worker that serves an App, as after a deploy: each on the same task queue, with the same store."""
    queue = f"shop-{uuid.uuid4()}"

    @asynccontextmanager
    async def serve(app: App) -> AsyncGenerator[Client]:
        plugin = LLMFlowPlugin(app, settings=Settings(home=tmp_path))
        client = Client((await connect(address=temporal, plugin=plugin)).temporal, queue)
        async with Worker(client.temporal, task_queue=queue, workflows=app.workflows):
            yield client

    return serve


async def markers(run: Run[Any]) -> int:  # Any: runs of every type
    """Number of local activities in the history of the latest run."""
    events = (await run.handle.fetch_history()).events
    return sum(event.HasField("marker_recorded_event_attributes") for event in events)


async def replayed(run: Run[Any]) -> None:  # Any: as above
    """Replay with the constants of another deploy."""
    await assert_replays(run, app(1))


async def test_a_run_keeps_the_constants_of_its_first_use(serving: Serving) -> None:
    id = f"shop-{uuid.uuid4()}"
    async with serving(app(100)) as client:
        run = await client.start(Above.run, True, id=id)
        await until(lambda: markers(run))
        await replayed(run)
    async with serving(app(7)) as client:
        run = client.run(id)
        await run.handle.signal(Above.go_on)
        assert await run.result() == [100, 100, 100], "the continued run, and its child"
        assert await markers(client.run(id)) == 0
        assert await markers(client.run(f"{id}-below")) == 0
        assert await activities_of(client.run(id)) == ["pay/pay#1"]
        await replayed(client.run(id))
        new = await client.start(Above.run, False, id=f"{id}-new")
        assert await new.result() == [7, 7, 7]
        assert await markers(new) == 1, "one local activity for all uses"


async def test_a_fork_keeps_the_constants_of_the_run_before(serving: Serving) -> None:
    id = f"shop-{uuid.uuid4()}"
    async with serving(app(100)) as client:
        await (await client.start(Above.run, False, id=id)).result()
    async with serving(app(7)) as client:
        assert await (await client.run(id).fork("pay", id=f"{id}-fork")).result() == [100, 100, 100]


async def test_constants_that_do_not_fit_block_the_run_until_they_do(serving: Serving) -> None:
    id = f"shop-{uuid.uuid4()}"
    async with serving(app(100)) as client:
        run = await client.start(Misfit.run, id=id)

        async def blocked(why: str) -> bool:
            return f"config of App 'shop' does not fit Wanted: {why}" in ((await run.status()).stuck or "")

        await until(lambda: blocked("refunds: Field required"))
    misspelt: dict[str, JsonValue] = {"refunds": 3, "more": {"refund": 1, "wiat": 2}}
    async with serving(App(name="shop", workflows=[Misfit], config=misspelt)) as client:
        run = await client.start(Misfit.run, id=f"{id}-typo")
        await until(lambda: blocked("more.wiat is unknown (did you mean `wait`?)"))
        await run.terminate("seen enough")
    mended = App(name="shop", workflows=[Above, Below, Misfit], tools=[pay], config={"refunds": 3})
    async with serving(mended) as client:
        assert await client.run(id).result() == 3


async def test_a_workflow_in_no_app_has_no_config(serving: Serving) -> None:
    guest = App(name="shop", workflows=[Above], config={"refund": 3})
    async with serving(guest) as client, Worker(client.temporal, task_queue="guests", workflows=[Below]):
        run = await client.start(Below.run, id=f"shop-{uuid.uuid4()}", task_queue="guests")
        with pytest.raises(RunNotCompleted, match="workflow 'Below' is in no App, so it has no config"):
            await run.result()


async def test_a_run_reads_its_constants_under_the_name_of_that_time(serving: Serving) -> None:
    async with serving(app(100)) as client:
        run = await client.start(Above.run, False, id=f"shop-{uuid.uuid4()}")
        assert await run.result() == [100, 100, 100]
        await assert_replays(run, App(name="store", workflows=[Above, Below, Misfit], tools=[pay]))


async def test_the_batches_of_a_fan_out_have_the_constants_of_its_run(serving: Serving) -> None:
    async with serving(app(100)) as client:
        run = await client.start(Wide.run, id=f"shop-{uuid.uuid4()}")
        assert await run.result() == 501 * 100 + 100
        assert await markers(run) == 0, "the first batch read them, and told its parent"
        await assert_replays(run, app(1))


def test_two_apps_have_one_config_for_a_workflow() -> None:
    other = App(name="other", workflows=[Below], config={"refund": 1})
    with pytest.raises(ConfigInvalid, match="Apps 'shop' and 'other' have two configs for workflow 'Below'"):
        LLMFlowPlugin(app(100), other)


class Renamed(BaseModel):
    """A model that reads other fields than it writes."""

    refund: int = Field(default=1, serialization_alias="usd")


@pytest.mark.parametrize("config", [{"at": object()}, Names(["a"]), Renamed(refund=7)])
def test_constants_are_a_json_object(config: Any) -> None:  # Any: what is no config
    with pytest.raises(ConfigInvalid, match="config of App 'shop'"):
        App(name="shop", workflows=[Above], config=config)
