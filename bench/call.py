"""One run of one call, from its start to its result, on an idle machine with a model that answers at once."""

from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter
from uuid import uuid4

from bench.figures import Figure
from bench.sides import sides

WARM_UP = 30


async def measure(server: str, runs: int) -> list[Figure]:
    """Run `runs` of each side, one at a time and in turn."""
    took: dict[str, list[float]] = {"plain": [], "llmflow": []}
    async with sides(server, delay=0) as both:
        for number in range(WARM_UP + runs):
            for side in both.in_turn(number):
                milliseconds = await _timed(side.call, f"call-{side.name}-{uuid4()}")
                if number >= WARM_UP:
                    took[side.name].append(milliseconds)
    plain, llmflow = median(took["plain"]), median(took["llmflow"])
    name = "one call end to end, p50"
    return [Figure(name=name, unit="ms", plain=plain, llmflow=llmflow, ratio=llmflow / plain, limit=1.10)]


async def _timed(start: Callable[[str], Awaitable[object]], id: str) -> float:
    begun = perf_counter()
    await start(id)
    return (perf_counter() - begun) * 1000
