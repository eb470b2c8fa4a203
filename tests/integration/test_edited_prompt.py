"""A `.prompt` file that is edited while a run is open."""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio import workflow

from llmflow import flow, worker
from llmflow.app import App
from llmflow.client import Client, connect
from llmflow.config import Settings
from llmflow.errors import PromptVersionMissing, RunNotCompleted

GREET = "---\nmodel: fast\n---\nuser:\nGreet {{ name }} warmly.\n"
OFFLINE = Settings(models="offline")


@workflow.defn
class Twice:
    """Asks before and after a signal, and says with which versions."""

    def __init__(self) -> None:
        self.may_go_on = False

    @workflow.signal
    def go_on(self) -> None:
        self.may_go_on = True

    @workflow.run
    async def run(self) -> list[str]:
        first = await flow.complete("edited/greet", {"name": "ana"})
        await workflow.wait_condition(lambda: self.may_go_on)
        second = await flow.complete("edited/greet", {"name": "bo"})
        return [str(first.prompt), str(second.prompt)]


@pytest.fixture
def app(tmp_path: Path) -> App:
    (tmp_path / "greet.prompt").write_text(GREET)
    return App(name="edited", workflows=[Twice], prompts=tmp_path)


@pytest.fixture
async def client(temporal: str) -> Client:
    return Client((await connect(address=temporal)).temporal, task_queue=f"edited-{uuid.uuid4()}")


@asynccontextmanager
async def serving(app: App, client: Client, temporal: str) -> AsyncGenerator[None]:
    """A worker with the prompts as they are now; it is gone in the end."""
    ready, stop = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(
        worker.run(
            app,
            settings=OFFLINE,
            address=temporal,
            task_queue=client.task_queue,
            ready=lambda _: ready.set(),
            stop=stop,
        )
    )
    await asyncio.wait([serving, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    yield
    stop.set()
    await serving


@pytest.mark.parametrize("mended", [False, True], ids=["the new file", "the old file again"])
async def test_an_open_run_asks_for_the_version_that_it_began_with(
    app: App, client: Client, temporal: str, tmp_path: Path, mended: bool
) -> None:
    async with serving(app, client, temporal):
        run = await client.start(Twice.run, id=str(uuid.uuid4()))
        while not (await run.usage()).total.calls:
            await asyncio.sleep(0.02)
        [began_with] = (await run.usage()).by_prompt

    (tmp_path / "greet.prompt").write_text(GREET if mended else GREET.replace("warmly", "coldly"))

    async with serving(app, client, temporal):
        await run.handle.signal(Twice.go_on)
        if mended:
            assert await run.result() == [began_with, began_with]
            return
        with pytest.raises(RunNotCompleted, match=f"does not serve `{began_with}`: the file was edited") as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, PromptVersionMissing)
