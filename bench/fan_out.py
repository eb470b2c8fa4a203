"""One run with many parallel calls: against `asyncio.gather` of plain activities, and far beyond it."""

from collections.abc import Sequence
from time import perf_counter
from uuid import uuid4

from bench.figures import Figure
from bench.schemas import MAILS
from bench.sides import Side, Sides, sides
from bench.with_llmflow.alone import Many

DELAY = 0.02
ROUNDS = 7
MANY = 10_000
"""Number of items that is too large for one history: they go out in batches."""


async def measure(server: str) -> list[Figure]:
    """Run rounds of one run of each side, in turn; then one run of very many items."""
    async with sides(server, DELAY) as both:
        for side in (both.plain, both.llmflow):
            await _round(side)  # connections, caches, lazy imports
        rounds: dict[str, list[tuple[float, int]]] = {"plain": [], "llmflow": []}
        for number in range(ROUNDS):
            for side in both.in_turn(number):
                rounds[side.name].append(await _round(side))
        return [*_compared(rounds["plain"], rounds["llmflow"]), *await _many(both)]


async def _round(side: Side) -> tuple[float, int]:
    """Seconds, and bytes of history."""
    id = f"fan-{side.name}-{uuid4()}"
    begun = perf_counter()
    await side.fan(id)
    took = perf_counter() - begun
    return took, (await side.history(id))[1]


def _compared(plain: Sequence[tuple[float, int]], llmflow: Sequence[tuple[float, int]]) -> list[Figure]:
    name = f"fan-out of {len(MAILS)} calls"
    # The fastest round and not the median, because other load on the machine only ever adds to it.
    walls = [min(wall for wall, _ in rounds) for rounds in (plain, llmflow)]
    sizes = [max(size for _, size in rounds) for rounds in (plain, llmflow)]
    return [
        Figure(name=f"{name}: {what}", unit=unit, plain=theirs, llmflow=ours, ratio=ours / theirs, limit=1.10)
        for what, unit, (theirs, ours) in (("wall time", "s", walls), ("history", "bytes", sizes))
    ]


async def _many(both: Sides) -> list[Figure]:
    id, client = f"many-{uuid4()}", both.client
    begun = perf_counter()
    run = await client.start(Many.run, MANY, id=id)
    done = await run.result()
    took = perf_counter() - begun
    assert done == (await run.usage()).total.calls == MANY
    histories = [
        await both.llmflow.history(f"{id}{part}") for part in ("", "/plan[0-99]", "/plan[100-599]", "/plan[600-1099]")
    ]
    name = f"fan-out of {MANY:,} calls"
    return [
        Figure(name=f"{name}: wall time", unit="s", llmflow=took),
        Figure(
            name=f"{name}: largest history",
            unit="bytes",
            llmflow=max(s for _, s in histories),
            limit=5_000_000,
            limits="value",
        ),
        Figure(name=f"{name}: its own events", llmflow=histories[0][0]),
        Figure(name=f"{name}: events of a child, most", llmflow=max(events for events, _ in histories[1:])),
    ]
