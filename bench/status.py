"""Status of in-flight runs: `Run.status()` asks the server, `Run.usage()` asks the run itself."""

import asyncio
from time import perf_counter
from uuid import uuid4

from bench.figures import Figure, p95
from bench.sides import Sides, sides

IN_FLIGHT = 100
DELAY = 5.0
"""Seconds until the model answers: a usual time, so that most runs wait at any moment, as in production."""


async def measure(server: str, looks: int) -> list[Figure]:
    """Read the status of runs `looks` times, one by one, while `IN_FLIGHT` chains are in flight."""
    async with sides(server, DELAY) as both:
        ids = {number: f"status-{uuid4()}" for number in range(IN_FLIGHT)}
        chains = [asyncio.create_task(_keep_running(both, ids, number)) for number in ids]
        try:
            await asyncio.sleep(2 * DELAY)  # all have begun, and the first answers are there
            took = [await _look(both, ids[number % IN_FLIGHT]) for number in range(looks)]
        finally:
            for chain in chains:
                chain.cancel()
            await asyncio.gather(*chains, return_exceptions=True)
    together = [status + usage for status, usage in took]
    return [
        Figure(name="Run.status() p95", unit="ms", llmflow=p95([status for status, _ in took])),
        Figure(name="Run.usage() p95", unit="ms", llmflow=p95([usage for _, usage in took])),
        Figure(name="status() and usage() p95", unit="ms", llmflow=p95(together), limit=50, limits="value"),
    ]


async def _keep_running(both: Sides, ids: dict[int, str], number: int) -> None:
    await asyncio.sleep(DELAY * number / IN_FLIGHT)  # not all in step
    while True:
        await both.llmflow.chain(ids[number])
        ids[number] = f"status-{uuid4()}"


async def _look(both: Sides, id: str) -> tuple[float, float]:
    run = both.client.run(id)
    start = perf_counter()
    await run.status()
    middle = perf_counter()
    await run.usage()
    return (middle - start) * 1000, (perf_counter() - middle) * 1000
