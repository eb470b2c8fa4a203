"""What a process pays before its first run: imports, and the memory of a worker that polls."""

import asyncio
from statistics import median

from bench.figures import Figure
from bench.processes import python
from bench.sides import workers

ROUNDS = 11
TIMED = "from time import perf_counter as t; start = t(); import {module}; print(t() - start)"


async def measure_import() -> list[Figure]:
    """Each import in a fresh process, in turn; the first of each only writes the byte code."""
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
    """Of both workers, when they poll and have done nothing yet."""
    async with workers(server, "http://127.0.0.1:9/v1") as (plain, llmflow):
        await asyncio.sleep(1)  # the first polls are out
        sizes = plain.resident(), llmflow.resident()
    return [
        Figure(
            name="worker ready to poll",
            unit="MB",
            plain=sizes[0],
            llmflow=sizes[1],
            ratio=sizes[1] / sizes[0],
            limit=120,
            limits="value",
        )
    ]
