"""A bug in workflow code is what the log of `llmflow worker` shows."""

import asyncio
import os
import sys
import uuid
from pathlib import Path

from llmflow.client import Client, connect

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


async def test_a_bug_is_not_hidden(temporal: str, tmp_path: Path) -> None:
    (tmp_path / "buggy.py").write_text(APP)
    queue = f"buggy-{uuid.uuid4()}"
    command = ("-c", "from llmflow.cli.main import main; main()", "worker", "buggy:app", "--task-queue", queue)
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=tmp_path,
        env={**os.environ, "TEMPORAL_ADDRESS": temporal, "LLMFLOW_MODELS": "offline"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    run = await Client((await connect(address=temporal)).temporal, queue).start("Buggy", id=queue)
    assert worker.stdout is not None
    said = ""
    try:
        while "KeyError: 'the bug'" not in said:
            line = await worker.stdout.readline()
            assert line, said
            said += line.decode()
        assert "ImportError" not in said
    finally:
        await run.terminate("seen enough")
        worker.kill()
        await worker.wait()
