"""Worker processes that start at once, because they are forked from one that has imported everything."""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from multiprocessing.process import BaseProcess

import openai

from llmflow import worker
from llmflow.providers import pricing
from tests.integration.five import app

__all__ = ["forked", "openai"]  # imported here, and not for the first time in each of them


def _serve(queue: str, environ: Mapping[str, str]) -> None:
    os.environ.update(environ)
    asyncio.run(worker.run(app, task_queue=queue))


@asynccontextmanager
async def forked(queue: str, environ: Mapping[str, str]) -> AsyncGenerator[BaseProcess]:
    """A worker of `five`, for as long as the context lasts. It is never stopped, only killed."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__])
    process = server.Process(target=_serve, args=(queue, environ), daemon=True)
    await asyncio.to_thread(process.start)
    try:
        yield process
    finally:
        await killed(process)


async def killed(process: BaseProcess) -> None:
    """Kill it with SIGKILL, and wait until it is dead."""
    process.kill()
    await asyncio.to_thread(process.join)


pricing.warm()
