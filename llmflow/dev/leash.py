"""Process on a leash: it ends when this one ends, for whatever reason."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

# The shell becomes the process, and leaves a child behind that ends the process when the pipe on stdin closes: the
# kernel closes our end of it even after `kill -9`. The child is in the group of the process, so as long as it waits,
# the number $$ cannot be given to another process.
_LEASH = 'signal=$1; shift; exec 3<&0 </dev/null; (read -r _ <&3; kill -"$signal" $$) >/dev/null 2>&1 & exec "$@" 3<&-'


@asynccontextmanager
async def leashed(
    command: Sequence[str | Path],
    *,
    end: signal.Signals,
    stdout: int | None = None,
    stderr: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Start a process, whose stdin is empty, in a session of its own: Ctrl-C in the terminal does not reach it.

    Args:
        command: The program and its arguments.
        end: Signal that it gets when the context ends, or this process.
        stdout: As for `subprocess`.
        stderr: As for `subprocess`.
        env: Environment instead of this process's.
        pass_fds: File descriptors that it keeps: 4 and above, because the leash is 3.
    """
    theirs, ours = os.pipe()
    try:
        yield await asyncio.create_subprocess_exec(
            *("sh", "-c", _LEASH, "sh", end.name.removeprefix("SIG"), *command),
            stdin=theirs,
            stdout=stdout,
            stderr=stderr,
            env=env,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    finally:
        os.close(ours)
        os.close(theirs)
