"""Worker in a process of its own, which restarts when its files change, while the server stays up."""

import asyncio
import fcntl
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Collection, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import time
from typing import IO, Any

from llmflow.dev.leash import leashed
from llmflow.dev.process import Say
from llmflow.dev.watch import forget_bytecode, watch

GRACE = timedelta(seconds=30)
"""Time for in-flight calls, before an edit or the end. A longer call is cut, made again and paid again."""
_STOP_LIMIT = GRACE.total_seconds() + 10  # then something blocks its event loop
_SOON = 1.0  # second
_SERVING = "\nserving; edits restart the worker; Ctrl-C stops it, after the in-flight calls"
_ABOVE_SHELLS = 10
"""File descriptors that no shell uses for itself."""


@dataclass(frozen=True)
class Stop:
    """Requests of a person."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """The end, after the in-flight calls."""
    at_once: asyncio.Event = field(default_factory=asyncio.Event)
    """The end, now."""


@contextmanager
def stopped_by_signals(say: Say) -> Generator[Stop]:
    """Wait for SIGTERM or SIGINT, which ask for the end; a second one asks for it at once."""
    stop, loop = Stop(), asyncio.get_running_loop()

    def received() -> None:
        if stop.asked.is_set():
            stop.at_once.set()
        else:
            stop.asked.set()
            say("finishing the in-flight calls; Ctrl-C again stops at once")

    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, received)
    try:
        yield stop
    finally:
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(one)


def report(descriptor: int, paths: Collection[Path]) -> None:
    """Report, from the worker's process, that it serves, and which files and folders it was loaded from."""
    os.write(descriptor, json.dumps([str(path) for path in paths]).encode() + b"\n")


async def serve(command: Sequence[str], stop: Stop, say: Say) -> int:
    """Run a worker until the end is requested, and restart it after each change of its files.

    Args:
        command: Arguments of Python that run a worker. `--report` with a file descriptor for `report` is added, and
            `--again` if one has served before.
        stop: Ends it.
        say: Called with messages about progress.

    Returns:
        0; or the exit code of the first worker, if it never served: below 0 if a signal ended it, such as ours.

    Raises:
        ConfigInvalid: the system watches no more files.
    """
    paths: list[Path] = []
    changed: list[Path] = []
    stopping = asyncio.create_task(stop.asked.wait())
    while not stopping.done():
        forget_bytecode(changed)
        since = time()
        async with _started([*command, *(["--again"] if paths else [])]) as worker:
            change = await watch(paths, since)
            await _first(stopping, change, worker.serves, worker.ended)
            if worker.serves.done() and not change.done():
                paths = worker.serves.result()
                change.cancel()
                change = await watch(paths, since)
                say(f"reloaded: {_named(changed)} changed" if changed else _SERVING)
                await _first(stopping, change, worker.ended)
            if worker.ended.done() and paths and not (change.done() or stopping.done()):
                say(f"the worker has ended with {worker.ended.result()}: the next edit starts it again")
                await _first(stopping, change)
            if change.done():
                changed = change.result()
            change.cancel()
            await _stop(worker, stop, say, changed)
        if not paths:
            return worker.ended.result()
    return 0


@dataclass(frozen=True)
class _Worker:
    process: asyncio.subprocess.Process
    serves: asyncio.Task[list[Path]]
    """Task that ends with the first `report`."""
    ended: asyncio.Task[int]


@asynccontextmanager
async def _started(command: Sequence[str]) -> AsyncGenerator[_Worker]:
    """Run a worker for as long as the context lasts, with every process that it starts."""
    ours, theirs = os.pipe()
    told = fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, _ABOVE_SHELLS)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as reports:
        try:
            python = [sys.executable, *command, "--report", str(told)]
            async with leashed(python, end=signal.SIGKILL, pass_fds=[told]) as process:
                serves, ended = asyncio.create_task(_serves(reports)), asyncio.create_task(process.wait())
                try:
                    yield _Worker(process, serves, ended)
                finally:
                    serves.cancel()
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    await ended
        finally:
            os.close(told)


async def _serves(reports: IO[bytes]) -> list[Path]:
    reader = asyncio.StreamReader(limit=2**20)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), reports
    )
    try:
        line = await reader.readline()  # no end of file: we hold the other end, too
        return [Path(path) for path in json.loads(line)]
    finally:
        transport.close()


async def _stop(worker: _Worker, stop: Stop, say: Say, changed: Sequence[Path]) -> None:
    """End it after its in-flight calls, or sooner if that takes too long or the end is requested at once."""
    with suppress(ProcessLookupError):
        worker.process.terminate()
    at_once = asyncio.create_task(stop.at_once.wait())
    await _first(worker.ended, at_once, seconds=_SOON)
    if not (worker.ended.done() or stop.asked.is_set()):
        say(f"{_named(changed)} changed: reloading after the in-flight calls")
    await _first(worker.ended, at_once, seconds=_STOP_LIMIT)
    at_once.cancel()


async def _first(*tasks: asyncio.Task[Any], seconds: float | None = None) -> None:  # Any: of different results
    """Wait until one of them is done, or the time is up."""
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


def _named(paths: Sequence[Path]) -> str:
    """Name files, such as `mine/workflow.py and 2 more`, relative to the current folder if they are in it."""
    here, first = Path.cwd(), paths[0]
    name = str(first.relative_to(here) if first.is_relative_to(here) else first)
    return f"{name} and {len(paths) - 1} more" if len(paths) > 1 else name
