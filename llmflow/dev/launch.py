"""Start the server process and stop it again, so that it never outlives the process that wanted it."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

from llmflow.dev.leash import leashed
from llmflow.errors import ServerUnavailable

HOST = "127.0.0.1"
_DYNAMIC_CONFIG = (
    # By default the server looks for tasks 20 times a second, so each waits on a 50 ms grid: a run of one call took
    # 150 ms, and takes 29.
    "history.transferProcessorMaxPollRPS=10000",
    "history.transferProcessorMaxPollHostRPS=10000",
    "system.enableActivityEagerExecution=true",
    # Without these two, priority and fairness between tenants are silently ignored.
    "matching.useNewMatcher=true",
    "matching.enableFairness=true",
)
_START_LIMIT = 60.0  # seconds; it takes half a second on an idle machine
_STOP_LIMIT = 15.0  # seconds; it takes one


@asynccontextmanager
async def running_server(
    executable: Path, arguments: Sequence[str], *, port: int, log: IO[bytes], stop: signal.Signals
) -> AsyncGenerator[int]:
    """Run a dev server for as long as the context lasts.

    Args:
        executable: the Temporal CLI.
        arguments: of `temporal server start-dev`, on top of the port and of the settings that llmflow needs.
        port: a free port of this machine.
        log: takes what the server logs.
        stop: SIGTERM to let it finish its work (1 s), SIGKILL when nothing of it is kept.

    Yields:
        The process id of a server that answers.

    Raises:
        ServerUnavailable: it does not start; the message has the end of its log.
    """
    config = (part for value in _DYNAMIC_CONFIG for part in ("--dynamic-config-value", value))
    start = ["server", "start-dev", "--ip", HOST, "--port", str(port), *config, *arguments]
    # Telemetry is asked for from workers, and Temporal refuses to start with some exporters that they know.
    env = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    started = leashed([executable, *start], end=signal.SIGTERM, stdout=asyncio.subprocess.PIPE, stderr=log, env=env)
    async with started as process:
        try:
            if not await _started(process, port):
                raise ServerUnavailable(f"the Temporal server did not start: {_end_of(log)}")
            yield process.pid
        finally:
            await _stop(process, stop)


async def _started(process: asyncio.subprocess.Process, port: int) -> bool:
    """Whether it says so itself. That its port answers would prove nothing: a foreign server may have taken it."""
    if process.stdout is None:
        return False
    with suppress(TimeoutError):
        async with asyncio.timeout(_START_LIMIT):
            while line := await process.stdout.readline():
                if f":{port}".encode() in line:
                    return True
    return False


async def _stop(process: asyncio.subprocess.Process, how: signal.Signals) -> None:
    for attempt in (how, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, attempt)
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_LIMIT):
                await process.wait()
                return


def _end_of(log: IO[bytes]) -> str:
    log.seek(0)
    text = log.read().decode(errors="replace").strip()
    return text.rsplit("\n", 1)[-1] or f"it said nothing in {_START_LIMIT:.0f} s"
