"""An agent of many turns with tool results of 4 KB: history, wall time and CPU of the worker."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from uuid import uuid4

from bench.figures import Figure
from bench.sides import Side, sides

TURNS, MANY = 100, 400
ROUNDS = 3


@dataclass(frozen=True)
class Ran:
    wall: float
    cpu: float
    events: int
    bytes: int


async def measure(server: str) -> list[Figure]:
    """Run an agent of `TURNS` turns on each side, in turn; llmflow's also for longer, and with a local tool."""
    rounds: dict[str, list[Ran]] = {"plain": [], "llmflow": [], "local": []}
    async with sides(server, delay=0) as both:
        for side in (both.plain, both.llmflow):
            await _run(side, side.agent, 3)  # connections, caches, lazy imports
        for number in range(ROUNDS):
            for side in both.in_turn(number):
                rounds[side.name].append(await _run(side, side.agent, TURNS))
            rounds["local"].append(await _run(both.llmflow, both.llmflow.agent_here, TURNS))
        many = await _run(both.llmflow, both.llmflow.agent, MANY)
    plain, ours, local = rounds["plain"], rounds["llmflow"], rounds["local"]
    size, size_here = ours[-1].bytes, local[-1].bytes
    name = f"agent of {TURNS} turns"
    return [
        Figure(
            name=f"{name}, 4 KB results: history",
            unit="bytes",
            plain=plain[-1].bytes,
            llmflow=size,
            limit=260_000,
            limits="value",
            ratio=size / plain[-1].bytes,
        ),
        Figure(
            name=f"{name}, local tool: history",
            unit="bytes",
            plain=plain[-1].bytes,
            llmflow=size_here,
            limit=200_000,
            limits="value",
            ratio=size_here / plain[-1].bytes,
        ),
        Figure(
            name=f"{name}: history of {MANY} turns over that of {TURNS}",
            llmflow=many.bytes / size,
            limit=4.2,
            limits="value",
        ),
        Figure(
            name=f"{name}: events a turn",
            llmflow=ours[-1].events / TURNS,
            plain=plain[-1].events / TURNS,
            limit=12.2,
            limits="value",
        ),
        Figure(name=f"{name}, local tool: events a turn", llmflow=local[-1].events / TURNS, limit=7.2, limits="value"),
        _ratio(f"{name}: wall time", "s", plain, ours, lambda one: one.wall, 0.4),
        _ratio(f"{name}: worker CPU", "s", plain, ours, lambda one: one.cpu, 0.3),
    ]


def _ratio(
    name: str, unit: str, plain: list[Ran], ours: list[Ran], value: Callable[[Ran], float], limit: float
) -> Figure:
    theirs, mine = median(map(value, plain)), median(map(value, ours))
    return Figure(name=name, unit=unit, plain=theirs, llmflow=mine, ratio=mine / theirs, limit=limit)


async def _run(side: Side, agent: Callable[[str, int], Awaitable[object]], turns: int) -> Ran:
    id, before, begun = f"agent-{side.name}-{uuid4()}", side.worker.cpu(), perf_counter()
    await agent(id, turns)
    wall, cpu = perf_counter() - begun, side.worker.cpu() - before
    events, size = await side.history(id)
    return Ran(wall, cpu, events, size)
