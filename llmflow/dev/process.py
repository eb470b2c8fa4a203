"""Other programs on the way to a Temporal CLI: run with a time limit, and killed when they are no longer wanted."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from llmflow.errors import ServerUnavailable

Say = Callable[[str], None]
"""Called with messages about progress, one line at a time."""


async def run(
    command: Sequence[str | Path],
    *,
    timeout: timedelta,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end.

    Args:
        command: the program and its arguments.
        timeout: time limit. A network that drops packets would otherwise block us for ever.
        cwd: folder to run in.
        env: environment variables on top of this process's own.

    Returns:
        Its output, of both streams.

    Raises:
        ServerUnavailable: it cannot be run, failed, or took too long; the message has its last line.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            start_new_session=True,  # so that killing it also kills the compilers that it started
        )
    except OSError as error:
        raise ServerUnavailable(f"`{command[0]}` does not run: {error.strerror}") from error
    try:
        async with asyncio.timeout(timeout.total_seconds()):
            output, _ = await process.communicate()
    except (TimeoutError, asyncio.CancelledError) as error:
        with suppress(ProcessLookupError):  # it has ended, and so have its children
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if isinstance(error, TimeoutError):
            raise ServerUnavailable(f"`{command[0]}` took longer than {timeout.total_seconds():.0f} s") from None
        raise
    text = output.decode(errors="replace").strip()
    if process.returncode:
        last = text.rsplit("\n", 1)[-1] or "it printed nothing"
        raise ServerUnavailable(f"`{command[0]}` failed with {process.returncode}: {last}")
    return text
