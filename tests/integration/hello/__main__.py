"""A worker process of the tests' App: `python -m tests.integration.hello TASK_QUEUE [HEALTH METRICS]`."""

import asyncio
import logging
import sys

from llmflow import worker
from tests.integration.hello.app import app


async def main(task_queue: str, health: str | None = None, metrics: str | None = None) -> None:
    await worker.run(
        app, task_queues=[task_queue], health=health, metrics=metrics, ready=lambda _: print("ready", flush=True)
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG)  # everything that a log could give away
    asyncio.run(main(*sys.argv[1:]))
