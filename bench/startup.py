"""Cost of a process before its first run: imports, and the memory of a worker that polls."""

import asyncio
from collections.abc import Awaitable, Callable
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

from bench.figures import Figure
from bench.processes import python
from bench.sides import NO_SEARCH, sides, workers

ROUNDS = 11
COLD_STARTS = 3
WARM_CALLS = 20
TIMED = "from time import perf_counter as t; start = t(); import {module}; print(t() - start)"


async def measure_import() -> list[Figure]:
    """Measure each import in a fresh process, in turn; the first of each only writes the byte code."""
    took: dict[str, list[float]] = {"temporalio.workflow": [], "llmflow.flow": []}
    for number in range(ROUNDS + 1):
        for module, seconds in took.items():
            async with python("-c", TIMED.format(module=module)) as process:
                if number:
                    seconds.append(float(process.said))
    plain, llmflow = (median(seconds) for seconds in took.values())
    name = "import llmflow.flow, over temporalio.workflow"
    return [Figure(name=name, unit="s", plain=plain, llmflow=llmflow, limit=0.25, limits="more")]


async def measure_memory(server: str) -> list[Figure]:
    """Measure the memory of both workers when they poll and have done nothing yet.

    At their second start: the first one compiles byte code and makes the store, and what that took stays resident.
    """
    sizes = 0.0, 0.0
    with TemporaryDirectory() as home:
        for _ in range(2):
            async with workers(server, "http://127.0.0.1:9/v1", {**NO_SEARCH, "LLMFLOW_HOME": home}) as both:
                await asyncio.sleep(1)  # the first polls are out
                sizes = both[0].resident(), both[1].resident()
    return [
        Figure(
            name="worker ready to poll",
            unit="MB",
            plain=sizes[0],
            llmflow=sizes[1],
            ratio=sizes[1] / sizes[0],
            limit=150,
            limits="value",
        )
    ]


async def measure_cold(server: str) -> list[Figure]:
    """Compare the first call of a worker that has just begun to poll with its later ones."""
    more: dict[str, list[float]] = {"plain": [], "llmflow": []}
    for number in range(COLD_STARTS):
        async with sides(server, delay=0) as both:
            for side in both.in_turn(number):
                first, *later = [await _timed(side.call, f"cold-{side.name}-{uuid4()}") for _ in range(1 + WARM_CALLS)]
                more[side.name].append(first - median(later))
    plain, llmflow = median(more["plain"]), median(more["llmflow"])
    name = "first call of a cold worker, over a warm one"
    return [Figure(name=name, unit="s", plain=plain, llmflow=llmflow, limit=1.0, limits="value")]


async def _timed(start: Callable[[str], Awaitable[object]], id: str) -> float:
    begun = perf_counter()
    await start(id)
    return perf_counter() - begun
