"""A bug in workflow code is what the log of `llmflow worker` shows; stdout stays for what a program reads."""

import signal
import uuid
from pathlib import Path

from llmflow.client import Client, connect
from tests.helpers.command_line import environ, started

APP = """
from temporalio import workflow
from llmflow.app import App

@workflow.defn
class Buggy:
    @workflow.run
    async def run(self) -> str:
        return {}["the bug"]

app = App(name="buggy", workflows=[Buggy])
"""


async def test_a_bug_is_in_the_log_and_nowhere_else(temporal: str, tmp_path: Path) -> None:
    (tmp_path / "buggy.py").write_text(APP)
    queue = f"buggy-{uuid.uuid4()}"
    env = environ(TEMPORAL_ADDRESS=temporal, LLMFLOW_MODELS="offline")
    run = await Client((await connect(address=temporal)).temporal, queue).start("Buggy", id=queue)
    try:
        async with started("worker", "buggy:app", "--task-queue", queue, "--json", cwd=tmp_path, env=env) as worker:
            await worker.says("KeyError: 'the bug'")
            await worker.says("Failing workflow task")  # which is what Temporal's core says of it
            ended = await worker.done(signal.SIGTERM)
    finally:
        await run.terminate("seen enough")
    assert ended.json()["task_queue"] == queue
    assert "ImportError" not in ended.err
    assert "\x1b" not in ended.err
