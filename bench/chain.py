"""Runs of a chain of three calls, many at once: wall time, CPU of the worker, history."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter
from uuid import uuid4

from bench.figures import Figure
from bench.processes import Process
from bench.sides import NO_SEARCH, Side, sides

DELAY = 0.02
"""Seconds until the model answers."""
AT_ONCE = 100
ROUNDS = 5
PROMPTS = 3


@dataclass(frozen=True)
class Round:
    """Run one side once; return seconds and milliseconds per run."""

    wall: float
    worker_cpu: float
    server_cpu: float
    """CPU of the server; 0 if the server is not ours."""
    events: float
    bytes: float


async def measure_search(server: str, server_process: Process | None, runs: int) -> list[Figure]:
    """Run the same with search attributes, which Temporal also writes into its visibility store for each run."""
    figures = await _measure(server, server_process, runs, {})
    return [
        replace(one, name=f"{one.name}, with search attributes", limit=None)
        for one in figures
        if one.name.startswith(("wall", "history", "events", "server"))
    ]


async def measure(server: str, server_process: Process | None, runs: int) -> list[Figure]:
    """Run `runs` of each side in each of `ROUNDS` rounds, the sides in turn."""
    return await _measure(server, server_process, runs, NO_SEARCH)


async def _measure(server: str, server_process: Process | None, runs: int, env: Mapping[str, str]) -> list[Figure]:
    async with sides(server, DELAY, env) as both:
        rounds: dict[str, list[Round]] = {"plain": [], "llmflow": []}
        for side in (both.plain, both.llmflow):
            await _round(side, AT_ONCE, server_process)  # connections, caches, lazy imports
        for number in range(ROUNDS):
            for side in both.in_turn(number):
                rounds[side.name].append(await _round(side, runs, server_process))
        memory = both.plain.worker.resident(), both.llmflow.worker.resident()
    plain, llmflow = rounds["plain"], rounds["llmflow"]
    figures = [
        # The fastest round and not the median, because other load on the machine only ever adds to it.
        _figure("wall time of all runs", plain, llmflow, lambda one: one.wall, unit="s", limit=1.15, of_rounds=min),
        _figure("worker CPU per run", plain, llmflow, lambda one: one.worker_cpu, unit="ms", limit=1.5),
        _figure("history per run", plain, llmflow, lambda one: one.bytes, unit="bytes", limit=1.25),
        Figure(
            name="events per run",
            plain=median(one.events for one in plain),
            llmflow=median(one.events for one in llmflow),
            limit=PROMPTS,
            limits="more",
        ),
    ]
    if server_process is not None:
        figures.append(_figure("server CPU per run", plain, llmflow, lambda one: one.server_cpu, unit="ms"))
    name = "worker memory afterwards"
    return [*figures, Figure(name=name, unit="MB", plain=memory[0], llmflow=memory[1], ratio=memory[1] / memory[0])]


def _figure(
    name: str,
    plain: Sequence[Round],
    llmflow: Sequence[Round],
    value: Callable[[Round], float],
    *,
    unit: str,
    limit: float | None = None,
    of_rounds: Callable[[list[float]], float] = median,
) -> Figure:
    theirs, ours = (of_rounds([value(one) for one in rounds]) for rounds in (plain, llmflow))
    return Figure(name=name, unit=unit, plain=theirs, llmflow=ours, ratio=ours / theirs, limit=limit)


async def _round(side: Side, runs: int, server: Process | None) -> Round:
    ids = [f"chain-{side.name}-{uuid4()}" for _ in range(runs)]
    worker_before, server_before, start = side.worker.cpu(), server.cpu() if server else 0.0, perf_counter()
    await at_once(side.chain, ids)
    wall = perf_counter() - start
    worker_cpu = side.worker.cpu() - worker_before
    server_cpu = server.cpu() - server_before if server else 0.0
    histories = [await side.history(id) for id in ids[:: max(1, runs // 10)]]
    return Round(
        wall=wall,
        worker_cpu=worker_cpu / runs * 1000,
        server_cpu=server_cpu / runs * 1000,
        events=median(events for events, _ in histories),
        bytes=median(size for _, size in histories),
    )


async def at_once(start: Callable[[str], Awaitable[object]], ids: Sequence[str]) -> None:
    """Run all of them, `AT_ONCE` at a time."""
    waiting = iter(ids)

    async def one_after_the_other() -> None:
        for id in waiting:
            await start(id)

    await asyncio.gather(*(one_after_the_other() for _ in range(min(AT_ONCE, len(ids)))))
