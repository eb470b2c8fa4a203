"""A Temporal server and workers that are repeatedly killed with SIGKILL and restarted."""

import asyncio
import random
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar

from temporalio.service import RPCError

from llmflow.config import Settings
from llmflow.dev.executable import temporal_executable
from llmflow.dev.launch import HOST, running_server
from llmflow.errors import NoWorker, ServerUnavailable
from tests.helpers.forked import APPLICATIONS, forked_worker

T = TypeVar("T")


class Server:
    """Keeps all data in a file, and always restarts on the same port."""

    def __init__(self, executable: Path, folder: Path) -> None:
        with socket.create_server((HOST, 0)) as free:
            self._port: int = free.getsockname()[1]
        self.address = f"{HOST}:{self._port}"
        self._executable, self._folder = executable, folder
        self._running = AsyncExitStack()

    async def start(self) -> None:
        log = self._running.enter_context((self._folder / "temporal.log").open("a+b"))
        options = ["--headless", "--db-filename", str(self._folder / "temporal.db")]
        server = running_server(self._executable, options, port=self._port, log=log, stop=signal.SIGKILL)
        await self._running.enter_async_context(server)

    async def kill(self) -> None:
        await self._running.aclose()


class Workers:
    """Keeps two processes for each application. One that has died, for any reason, is replaced at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._serving: list[BaseProcess] = []

    async def keep(self, app: str) -> None:
        """Run one of them until it is cancelled."""
        while True:
            async with forked_worker(app, self._environ) as (process, serving):
                while process.is_alive():
                    if serving.is_set() and process not in self._serving:
                        self._serving.append(process)
                    await asyncio.sleep(0.05)
                if process in self._serving:
                    self._serving.remove(process)

    async def kill(self, chance: random.Random) -> None:
        """Return any of those that serve."""
        while not (serving := [process for process in self._serving if process.is_alive()]):
            await asyncio.sleep(0.05)
        chance.choice(serving).kill()


@asynccontextmanager
async def running(folder: Path, environ: Mapping[str, str]) -> AsyncGenerator[tuple[Server, Workers]]:
    """Run a server with its file in `folder`, and workers of all applications."""
    server = Server(await temporal_executable(Settings.load(), print), folder)
    await server.start()
    workers = Workers({**environ, "TEMPORAL_ADDRESS": server.address})
    keeping = [asyncio.create_task(workers.keep(app)) for app in APPLICATIONS * 2]
    try:
        yield server, workers
    finally:
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        await server.kill()


async def wreak_havoc(chance: random.Random, server: Server, workers: Workers, plan: Sequence[str]) -> None:
    """Kill a `worker` or the `server`, one by one, at any moment."""
    for what in plan:
        await asyncio.sleep(chance.uniform(0, 1.5))
        if what == "worker":
            await workers.kill(chance)
        else:
            await server.kill()
            await asyncio.sleep(chance.uniform(0, 0.5))
            await server.start()


async def in_spite_of_it(ask: Callable[[], Awaitable[T]]) -> T:
    """Retry until there is an answer: servers and workers come back."""
    while True:
        with suppress(RPCError, ServerUnavailable, NoWorker):
            return await ask()
        await asyncio.sleep(0.2)
