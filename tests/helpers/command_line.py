"""`llmflow`, called as a person calls it: in this process, or as one of its own."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llmflow.cli.main import run

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from llmflow.cli.script import main; main()")


@dataclass(frozen=True)
class Done:
    """Output and exit code of a command."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Parse its whole output as one JSON document."""
        assert self.code == 0, self.err
        return json.loads(self.out)


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> Done:
    """Run it in this process: fast."""
    capsys.readouterr()
    code = run(list(arguments))
    said = capsys.readouterr()
    return Done(code, said.out, said.err)


def environ(**changes: str) -> dict[str, str]:
    """Return this process's environment for another one: without variables that steer llmflow, and with changes."""
    steers = ("LLMFLOW_", "TEMPORAL_", "OPENAI_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steers) or name == "LLMFLOW_CACHE"}
    return {**kept, "PYTHONPATH": str(ROOT), **changes}


class Process:
    """A command as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.err = ""
        """Its stderr, up to the last line that a test awaited."""

    async def says(self, words: str) -> None:
        """Wait until its stderr has these words."""
        while words not in self.err:
            await self._line(words)

    async def says_next(self, words: str) -> str:
        """Wait until a new line of its stderr has these words, and return the line."""
        while words not in (line := await self._line(words)):
            pass
        return line

    async def _line(self, words: str) -> str:
        assert self._process.stderr
        line = (await self._process.stderr.readline()).decode()
        assert line, f"it ended without saying {words!r}:\n{self.err}"
        self.err += line
        return line

    async def done(self, how: signal.Signals | None = None) -> Done:
        """Send a signal, if one is given, and wait for the end."""
        if how:
            self._process.send_signal(how)
        out, err = await self._process.communicate()
        assert self._process.returncode is not None
        return Done(self._process.returncode, out.decode(), self.err + err.decode())

    def interrupt(self) -> None:
        """Send Ctrl-C."""
        self._process.send_signal(signal.SIGINT)


@asynccontextmanager
async def started(
    *arguments: str, cwd: Path, env: Mapping[str, str], command: Sequence[str | Path] = COMMAND
) -> AsyncGenerator[Process]:
    """Run a process for as long as the context lasts, and kill it then if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(*command, *arguments),
        cwd=cwd,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def finished(*arguments: str, cwd: Path, env: Mapping[str, str], command: Sequence[str | Path] = COMMAND) -> Done:
    """Run a process to its end."""
    async with started(*arguments, cwd=cwd, env=env, command=command) as process:
        return await process.done()


@contextmanager
def killed_at_the_end(process: subprocess.Popen[Any]) -> Generator[None]:  # Any: of text or of bytes
    """End a process that a failed test has left waiting. `with Popen(...)` would wait for it for ever."""
    try:
        yield
    finally:
        process.kill()


@contextmanager
def working(app: str, **variables: str) -> Generator[str]:
    """Run `llmflow worker` for an App, until the context ends: what it says when it starts to serve."""
    env = environ(LLMFLOW_MODELS="offline", **variables)
    with (
        subprocess.Popen(
            [*COMMAND, "worker", "--app", app], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True
        ) as process,
        killed_at_the_end(process),
    ):
        assert process.stderr
        said = ""
        while "Ctrl-C stops it" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        yield said
        process.terminate()
        assert process.wait() == 0


@contextmanager
def at_a_terminal(*arguments: str, temporal: str, columns: int) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """`llmflow` at a terminal of so many columns: the process, and the file descriptor of a person who sits there."""
    ours, theirs = pty.openpty()
    env = environ(TEMPORAL_ADDRESS=temporal, COLUMNS=str(columns), TERM="dumb")
    command = [*COMMAND, *arguments]
    with (
        subprocess.Popen(command, cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs) as process,
        killed_at_the_end(process),
    ):
        os.close(theirs)
        yield process, ours
    os.close(ours)
