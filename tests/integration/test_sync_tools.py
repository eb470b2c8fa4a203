"""Sync tools: they neither wait for each other nor keep a process that shall end."""

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import Callable

import httpx

from llmflow.client import Client, connect
from llmflow.testing import ScriptedProvider, environment
from tests.integration.sleepers import TOGETHER, Meet, Stick, app


async def test_sync_tools_run_at_once_with_the_plugin_alone(temporal: str) -> None:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        run = await env.client.start(Meet.run, id=env.id())

        assert await run.result() == list(range(TOGETHER))


async def test_a_stuck_sync_tool_does_not_outlive_the_grace(
    temporal: str, unused_tcp_port_factory: Callable[[], int]
) -> None:
    queue, health = f"sleepers-{uuid.uuid4()}", f"127.0.0.1:{unused_tcp_port_factory()}"
    client = Client((await connect(address=temporal)).temporal, queue)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.sleepers", queue, health),
        env={**os.environ, "TEMPORAL_ADDRESS": temporal, "OPENAI_API_KEY": "none"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout
        async with httpx.AsyncClient() as http:
            assert await process.stdout.readline() == b"ready\n"
            run = await client.start(Stick.run, id=str(uuid.uuid4()))
            assert await process.stdout.readline() == b"stuck\n"
            process.send_signal(signal.SIGTERM)
            draining: list[int] = []
            while 503 not in draining:  # the signal takes a moment to arrive; then the grace of 1 s begins
                draining.append((await http.get(f"http://{health}/health")).status_code)
            assert await process.wait() == 0
        await run.terminate("its worker is gone")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
