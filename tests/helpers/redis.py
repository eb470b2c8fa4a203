"""A throw-away Redis, from the machine's own binary. Tests use the session's one by the fixture `redis_url`."""

import shutil
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory

from tests.helpers.processes import free_port, running


class NoRedis(Exception):
    """This machine has no `redis-server`."""


@asynccontextmanager
async def running_redis() -> AsyncGenerator[str]:
    """Run a Redis that keeps nothing, for as long as the context lasts, and yield its URL.

    Raises:
        NoRedis: there is no binary.
    """
    executable = shutil.which("redis-server")
    if executable is None:
        raise NoRedis("no Redis: `redis-server` is not on PATH")
    port = free_port()
    with TemporaryDirectory(prefix="llmflow-redis-") as folder:
        options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder)
        async with running(executable, *options, ready="Ready to accept connections", stop=signal.SIGTERM):
            yield f"redis://127.0.0.1:{port}/0"
