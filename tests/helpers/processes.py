"""Servers that tests start: each ends with the test session, however that ends."""

import asyncio
import pwd
import signal
import socket
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

# The shell becomes the server, and leaves a child behind that ends the server when the pipe on stdin closes: the kernel
# closes our end of it even after `kill -9`.
_LEASH = 'signal=$1; shift; exec 3<&0 </dev/null; (read -r _ <&3; kill -"$signal" $$) >/dev/null 2>&1 & exec "$@" 3<&-'
_START_LIMIT = 60.0  # seconds; each of them takes about one
_STOP_LIMIT = 15.0


@asynccontextmanager
async def running(
    *command: str | Path,
    ready: str,
    stop: signal.Signals,
    cwd: str | Path | None = None,
    user: str | None = None,
    env: Mapping[str, str] | None = None,
) -> AsyncGenerator[None]:
    """Run a server for as long as the context lasts.

    Args:
        command: Command of the server, in the foreground, and its arguments.
        ready: Words that it prints, on stdout or stderr, when it serves.
        stop: Signal that ends it.
        cwd: Folder to run in.
        user: User to run as, which only root can set.
        env: Environment instead of this process's.

    Raises:
        AssertionError: it ended, or did not print `ready` in a minute; the message has the end of its log.
    """
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", _LEASH, "sh", stop.name.removeprefix("SIG"), *command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is for pytest, which then ends the server
        cwd=cwd,
        env=env,
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
        limit=2**20,  # bytes of one line of its log
    )
    log: deque[str] = deque(maxlen=40)
    serving = asyncio.Event()

    async def read() -> None:
        assert process.stdout
        async for line in process.stdout:
            log.append(line.decode(errors="replace"))
            if ready in log[-1]:
                serving.set()

    reading = asyncio.create_task(read())
    try:
        waiting = asyncio.create_task(serving.wait())
        await asyncio.wait({waiting, reading}, timeout=_START_LIMIT, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert serving.is_set(), f"{command[0]} does not serve:\n{''.join(log)}"
        yield
    finally:
        for how in (stop, signal.SIGKILL):
            with suppress(ProcessLookupError):
                process.send_signal(how)
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_LIMIT):
                    await process.wait()
                    break
        await reading


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
