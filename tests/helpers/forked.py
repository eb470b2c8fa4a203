"""Worker processes that start at once, because they are forked from one that has imported everything."""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

import aiohttp

from llmflow import worker
from llmflow.app import load_app
from llmflow.providers.pricing.prices import warm_prices

_FIVE = "tests.integration.five:app"
APPLICATIONS = tuple(
    f"workflows.{name}.app:app" for name in ("support", "travel", "review", "digest", "claims", "onboarding")
)
"""Apps of all workers but the one that only answers queries."""

__all__ = [
    "APPLICATIONS",
    "aiohttp",
    "forked",
    "forked_worker",
    "killed",
]  # imported here, and not for the first time in each of them


def _serve(app: str, queue: str | None, environ: Mapping[str, str], serving: Event) -> None:
    os.environ.update(environ)
    asyncio.run(worker.run(load_app(app), task_queues=[queue] if queue else (), ready=lambda _: serving.set()))


@asynccontextmanager
async def forked(queue: str, environ: Mapping[str, str]) -> AsyncGenerator[BaseProcess]:
    """Run a worker of `five` for as long as the context lasts. It is never stopped, only killed."""
    async with forked_worker(_FIVE, environ, queue) as (process, _):
        yield process


@asynccontextmanager
async def forked_worker(
    app: str, environ: Mapping[str, str], queue: str | None = None
) -> AsyncGenerator[tuple[BaseProcess, Event]]:
    """Run a worker of any App, named by its path; with the environment for it."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__])
    serving = server.Event()
    process = server.Process(target=_serve, args=(app, queue, environ, serving), daemon=True)
    await asyncio.to_thread(process.start)
    try:
        yield process, serving
    finally:
        await killed(process)


async def killed(process: BaseProcess) -> None:
    """Kill it with SIGKILL, and wait until it is dead."""
    process.kill()
    await asyncio.to_thread(process.join)


warm_prices()
for _path in (_FIVE, *APPLICATIONS):
    load_app(_path)
