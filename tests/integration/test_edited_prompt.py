"""A `.prompt` file that is edited while a run is open."""

import asyncio
import re
import shutil
import uuid
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from temporalio import workflow

from llmflow import flow, worker
from llmflow.app import App
from llmflow.client import Client, Run, connect
from llmflow.config import Settings
from llmflow.errors import RunNotCompleted
from tests.helpers.waiting import until

GREET = "---\nmodel: fast\n---\nuser:\nGreet {{ name }} warmly.\n"


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
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/greet.prompt").write_text(GREET)
    return App(name="edited", workflows=[Twice], prompts=tmp_path / "prompts")


@pytest.fixture
async def client(temporal: str) -> Client:
    return Client((await connect(address=temporal)).temporal, task_queue=f"edited-{uuid.uuid4()}")


@asynccontextmanager
async def serving(app: App, client: Client, temporal: str, home: Path) -> AsyncGenerator[None]:
    """A worker with the prompts as they are now; it is gone in the end."""
    ready, stop = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(
        worker.run(
            app,
            settings=Settings(models="offline", home=home, store=str(home / "llmflow.db")),
            address=temporal,
            task_queues=[client.task_queue or ""],
            ready=lambda _: ready.set(),
            stop=stop,
        )
    )
    await asyncio.wait([serving, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    yield
    stop.set()
    await serving


async def begun(client: Client) -> tuple[Run[list[str]], str]:
    """A run that has asked once and waits, and the version with which it asked."""
    run = await client.start(Twice.run, id=str(uuid.uuid4()))
    while not (await run.usage()).total.calls:
        await asyncio.sleep(0.02)
    [version] = (await run.usage()).by_prompt
    return run, version


async def test_an_open_run_finishes_on_the_version_that_it_began_with(
    app: App, client: Client, temporal: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    async with serving(app, client, temporal, home):
        run, version = await begun(client)

    (tmp_path / "prompts/greet.prompt").write_text(GREET.replace("warmly", "coldly"))

    async with serving(app, client, temporal, home):
        newer, new_version = await begun(client)
        assert new_version != version
        for one in (run, newer):
            await one.handle.signal(Twice.go_on)
        assert await run.result() == [version, version]
        assert await newer.result() == [new_version, new_version]


async def test_a_version_that_no_worker_has_is_waited_for(
    app: App, client: Client, temporal: str, tmp_path: Path
) -> None:
    async with serving(app, client, temporal, tmp_path / "home"):
        run, version = await begun(client)

    (tmp_path / "prompts/greet.prompt").write_text(GREET.replace("warmly", "coldly"))

    elsewhere = tmp_path / "elsewhere"
    async with serving(app, client, temporal, elsewhere):
        await run.handle.signal(Twice.go_on)
        looked = rf"`{version}` is neither in the files here nor in the store .*{re.escape(str(elsewhere))}/llmflow\.db"

        async def waits() -> str:
            return "".join(wait.reason for wait in (await run.progress()).waits)

        assert re.match(f"PromptVersionMissing: {looked}", await until(waits))
        async with serving(app, client, temporal, tmp_path / "home"):
            assert await run.result() == [version, version]


async def test_a_fork_takes_the_file_as_it_is_on_the_disk(
    app: App, client: Client, temporal: str, tmp_path: Path
) -> None:
    file = tmp_path / "prompts/greet.prompt"
    async with serving(app, client, temporal, tmp_path / "home"):
        run, version = await begun(client)
        await run.handle.signal(Twice.go_on)
        assert await run.result() == [version, version]
        file.write_text(GREET.replace("warmly", "coldly"))
        for text, said in (("{{ name", "PromptInvalid: .*greet.prompt:1:1"), (None, "ConfigInvalid: .*prompts is not")):
            with edited(file, text):
                fork = await run.fork("complete#1", prompts={"edited/greet": "file"})
                with pytest.raises(RunNotCompleted, match=said):
                    await fork.result()
        fork = await run.fork("complete#1", prompts={"edited/greet": "file"})
        await fork.handle.signal(Twice.go_on)
        [first, second] = await fork.result()
        assert first == second != version
        newer, of_newer = await begun(client)
        assert of_newer == version, "a run that is no fork has what the worker read when it started"
        await newer.terminate("seen enough")


@contextmanager
def edited(file: Path, text: str | None) -> Generator[None]:
    """Another text in a file, or no folder for it; in the end it is as before."""
    before = file.read_text()
    if text is None:
        shutil.move(file.parent, f"{file.parent}-away")
    else:
        file.write_text(text)
    yield
    if text is None:
        shutil.move(f"{file.parent}-away", file.parent)
    file.write_text(before)
