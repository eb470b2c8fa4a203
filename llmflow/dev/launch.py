"""Start and stop of the server process, so that it never outlives the process that started it."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

from llmflow.dev.leash import leashed
from llmflow.errors import ServerUnavailable

HOST = "127.0.0.1"
DYNAMIC_CONFIG = (
    # By default the server looks for tasks 20 times a second, so each waits on a 50 ms grid: a run of one call took 150
    # ms, and takes 29.
    "history.transferProcessorMaxPollRPS=10000",
    "history.transferProcessorMaxPollHostRPS=10000",
    "system.enableActivityEagerExecution=true",
    # Without these two, fairness between tenants is silently ignored, and before server 1.32 priority, too.
    "matching.useNewMatcher=true",
    "matching.enableFairness=true",
    # Runs whose workflow task failed twice in a row, and not only five times, have `TemporalReportedProblems`.
    "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=2",
)
TEST_CONFIG = (
    # Tests may skip the time of a run: `Environment.skip` of llmflow.testing.
    "frontend.WorkflowTimeSkippingEnabled=true",
    # Temporal delays a fast continue-as-new by up to 1 s. Under time skipping, server 1.32 adds the time that was
    # skipped before to that delay once more, so that the new run begins days late.
    'history.workflowIdReuseMinimalInterval="0s"',
    # By default the server fires a timer up to 1 s late, and looks for due ones 20 times a second.
    'history.timerProcessorMaxTimeShift="1ms"',
    "history.timerProcessorMaxPollRPS=10000",
    "history.timerProcessorMaxPollHostRPS=10000",
)
"""Settings of servers that run for a test, and keep nothing."""
_START_LIMIT = 60.0  # seconds; it takes half a second on an idle machine
_STOP_LIMIT = 15.0  # seconds; it takes one


def configured(values: Iterable[str]) -> Iterator[str]:
    """Return arguments that give a server its dynamic configuration, from `key=value` with a value in JSON."""
    return (part for value in values for part in ("--dynamic-config-value", value))


@asynccontextmanager
async def running_server(
    executable: Path, arguments: Sequence[str], *, port: int, log: IO[bytes], stop: signal.Signals
) -> AsyncGenerator[int]:
    """Run a dev server for as long as the context lasts.

    Args:
        executable: path of the Temporal CLI.
        arguments: arguments of `temporal server start-dev`, on top of the port and of the settings that llmflow needs.
        port: a free port of this machine.
        log: file for the server's log.
        stop: SIGTERM to let it finish its work (1 s), SIGKILL when nothing of it is kept.

    Yields:
        The process id of a server that answers.

    Raises:
        ServerUnavailable: it does not start; the message has the end of its log.
    """
    start = ["server", "start-dev", "--ip", HOST, "--port", str(port), *configured(DYNAMIC_CONFIG), *arguments]
    # Workers send the telemetry, and Temporal refuses to start with some exporters that they know.
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
    """True if the server itself reports it. An open port would prove nothing: a foreign server may have taken it."""
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
