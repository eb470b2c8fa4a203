"""Task queues that no worker serves, and blocked children: `status` and `doctor` name them, with what to type."""

import asyncio
import io
import sys
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
from temporalio.worker import Worker

from llmflow.cli.output import SafeConsole
from llmflow.cli.run_page import watch
from llmflow.client import Client, connect
from llmflow.config import Settings
from llmflow.service.connections import Connection
from llmflow.service.runs import look
from llmflow.worker import LLMFlowPlugin
from tests.helpers.command_line import ROOT, Done, call, environ, finished, started
from tests.helpers.waiting import until
from tests.integration.stranded import GPU, NOBODY, Parent, Waits, app

APP = "tests.integration.stranded:app"
MODELS = """
providers:
  openai: {api: chat, key: OPENAI_API_KEY, base_url: "http://localhost:1/v1"}
models:
  smart: ["openai:gpt-5.4"]
"""

Call = Callable[..., Done]


@pytest.fixture
def llmflow(temporal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))
    return lambda *arguments: call(capsys, *arguments)


@asynccontextmanager
async def serving(temporal: str, home: Path) -> AsyncGenerator[Client]:
    """A worker of the App's own task queue, and of no other."""
    plugin = LLMFlowPlugin(app, settings=Settings(models="offline", home=home))
    client = await connect(app, address=temporal, plugin=plugin)
    async with Worker(client.temporal, task_queue=app.task_queue, workflows=app.workflows):
        yield client


async def test_status_names_them_and_blocked_children(temporal: str, llmflow: Call, tmp_path: Path) -> None:
    id = f"stranded-{uuid.uuid4()}"
    async with serving(temporal, tmp_path) as client:
        run = await client.start(Parent.run, "a text", id=id)
        lines = io.StringIO()
        watching = asyncio.create_task(watch(Connection(client, None), run, SafeConsole(file=lines)))
        try:
            await until(lambda: reported(client, id, 3))
            done = await asyncio.to_thread(llmflow, "status", id)
            child = await asyncio.to_thread(llmflow, "status", f"{id}-waits")
            runs = await asyncio.to_thread(llmflow, "list", "--query", f"WorkflowId STARTS_WITH '{id}'")
            late = await client.start(Waits.run, "a text", id=f"{id}-late", start_delay=timedelta(hours=1))
            begun = monotonic()
            delayed = await asyncio.to_thread(llmflow, "status", late.id)
            assert monotonic() - begun < 5, "a query would wait for 10 s"
            await until(lambda: printed(lines, f"task queue {GPU} for embed#1"))
        finally:
            await run.terminate("seen enough")
        assert (await watching).status.state == "terminated"
    every = lines.getvalue().splitlines()
    assert every == list(dict.fromkeys(every)), "without a terminal, a line for each change"
    assert all(line.startswith("running") for line in every)
    assert await client.workers(app.task_queue) == 0, "it has told the server that it stopped"
    await late.terminate("seen enough")

    assert sorted(line.split()[0] for line in runs.out.splitlines()) == sorted(["run", id, "↳", "↳", "↳"])
    assert f"child of {id}" in child.out
    said = " ".join(done.out.split())
    gpu = f"no worker serves task queue {GPU} for embed#1: start one with `llmflow worker --task-queue {GPU}`"
    assert f"waits for child {id}-waits: {gpu}" in said
    assert f"waits for child {id}-buggy: a bug blocks it: KeyError: 'a text'" in said
    assert f"waits for child {id}-lost: no worker serves its task queue {NOBODY}: start one with" in said
    assert gpu in " ".join(child.out.split())
    assert "has not begun" in " ".join(delayed.out.split())


async def printed(lines: io.StringIO, words: str) -> bool:
    return words in lines.getvalue()


async def reported(client: Client, id: str, obstacles: int) -> bool:
    report = await look(Connection(client, None), client.run(id))
    return len(report.obstacles) == obstacles


async def test_a_worker_of_a_tool_queue_needs_no_key(temporal: str, llmflow: Call, tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_text(MODELS)
    env = environ(TEMPORAL_ADDRESS=temporal, LLMFLOW_HOME=str(tmp_path), LLMFLOW_MODELS=str(tmp_path / "models.yaml"))
    id = f"stranded-{uuid.uuid4()}"
    before = await asyncio.to_thread(llmflow, "doctor", "--app", APP)
    refused = await finished("worker", "--app", APP, cwd=ROOT, env=env)
    async with serving(temporal, tmp_path) as client:
        run = await client.start(Waits.run, "a text", id=id)
        async with started("worker", "--app", APP, "--task-queue", GPU, cwd=ROOT, env=env) as worker:
            await worker.says("serving")
            after = await asyncio.to_thread(llmflow, "doctor", "--app", APP)
            result = await run.result()

    assert result == "a text"
    assert "workflows" not in worker.err and "NO KEY" not in worker.err
    assert (refused.code, "set OPENAI_API_KEY" in refused.err) == (5, True), "a worker of its own queue does"
    assert f"no workers on task queue {GPU}" in before.out
    assert f"llmflow worker --task-queue {GPU} --app {APP}" in " ".join(before.out.split())
    assert f"1 worker on task queue {GPU}" in after.out


async def test_the_worker_of_llmflow_dev_serves_the_queues_of_tools(temporal: str, tmp_path: Path) -> None:
    env = environ(LLMFLOW_HOME=str(tmp_path), LLMFLOW_MODELS="offline")
    command = (sys.executable, "-m", "llmflow.cli.dev_worker")
    client = await connect(app, address=temporal)
    async with started("--app", APP, "--address", temporal, "--report", "1", cwd=ROOT, env=env, command=command) as dev:
        await dev.says(f"on task queues stranded, {GPU} at {temporal}")
        run = await client.start(Waits.run, "a text", id=f"stranded-{uuid.uuid4()}")
        assert await run.result() == "a text"
