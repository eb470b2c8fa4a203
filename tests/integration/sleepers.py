"""An App of sync tools that wait: `python -m tests.integration.sleepers TASK_QUEUE HEALTH` serves it."""

import asyncio
import sys
import threading
from datetime import timedelta
from pathlib import Path

from temporalio import workflow
from temporalio.common import RetryPolicy

from llmflow import flow, worker
from llmflow.app import App
from llmflow.tools import tool

TOGETHER = 30
met = threading.Barrier(TOGETHER)


@tool(start_to_close_timeout=timedelta(seconds=20), retry_policy=RetryPolicy(maximum_attempts=1))
def meet() -> int:
    """Return once as many calls run as there shall be."""
    return met.wait()


@tool(start_to_close_timeout=timedelta(minutes=10), retry_policy=RetryPolicy(maximum_attempts=1))
def stick() -> None:
    """Never end."""
    print("stuck", flush=True)
    threading.Event().wait()


@workflow.defn
class Meet:
    """Calls at once, each of which waits for all the others."""

    @workflow.run
    async def run(self) -> list[int]:
        return sorted(await asyncio.gather(*(flow.call_tool(meet) for _ in range(TOGETHER))))


@workflow.defn
class Stick:
    """A call that does not end."""

    @workflow.run
    async def run(self) -> None:
        await flow.call_tool(stick)


HELLO = Path(__file__).parent / "hello"

app = App(
    name="sleepers",
    workflows=[Meet, Stick],
    tools=[meet, stick],
    prompts=HELLO / "prompts",
    models=HELLO / "models.yaml",
)


async def main(task_queue: str, health: str) -> None:
    grace = timedelta(seconds=1)
    await worker.run(
        app, task_queues=[task_queue], health=health, grace=grace, ready=lambda _: print("ready", flush=True)
    )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
