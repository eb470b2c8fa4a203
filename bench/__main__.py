"""`python -m bench`: the cost of llmflow, as ratios to plain temporalio and openai code in the same run."""

import argparse
import asyncio
import sys
from pathlib import Path

from bench import agents, approvals, call, chain, cost, events, fan_out, same, startup, status
from bench.figures import Figure, as_json, table
from bench.processes import Process
from llmflow.config import Settings
from llmflow.dev.server import dev_server

PARTS = (
    *("chain", "search", "call", "fan_out", "import", "memory", "cold"),
    *("status", "approvals", "cost", "agents", "events"),
)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def measure(parts: list[str], runs: int) -> list[Figure]:
    async with dev_server(Settings.load(), say, memory=True) as server:
        process = Process(server.pid) if server.pid else None
        measurements = {
            "chain": lambda: chain.measure(server.address, process, runs),
            "search": lambda: chain.measure_search(server.address, process, runs),
            "call": lambda: call.measure(server.address, runs),
            "fan_out": lambda: fan_out.measure(server.address),
            "import": startup.measure_import,
            "memory": lambda: startup.measure_memory(server.address),
            "cold": lambda: startup.measure_cold(server.address),
            "status": lambda: status.measure(server.address, runs),
            "approvals": lambda: approvals.measure(server.address),
            "cost": cost.measure,
            "agents": lambda: agents.measure(server.address),
            "events": lambda: events.measure(server.address),
        }
        if {"chain", "call", "fan_out"} & set(parts):
            await same.check(server.address)
        figures: list[Figure] = []
        for part in parts:
            say(f"measuring {part} ...")
            figures += await measurements[part]()
        return figures


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="one part of it")
    parser.add_argument("--runs", type=int, default=300, metavar="N", help="of each side, and of each round (300)")
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args()
    if not Path("/proc/self/stat").exists():
        parser.error("this measures processes through /proc: run it on Linux")
    figures = asyncio.run(measure([options.only] if options.only else list(PARTS), options.runs))
    print(as_json(figures) if options.json else table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
