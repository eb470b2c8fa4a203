"""Run events: from the vendor's first byte to the first delta at a reader, alone and among fifty readers of one run."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from bench.figures import Figure, p95
from bench.processes import python
from bench.schemas import DRAFT
from bench.sides import MODELS
from bench.with_llmflow.alone import Told
from bench.with_llmflow.app import app
from llmflow.client import Client, Run, connect
from llmflow.types.events import TextDelta
from tests.helpers.model_server import ModelServer, Received, Reply, responses_answer, responses_events

RUNS = 40
READERS = 50
THINKING = 0.5
"""Seconds before the vendor's first byte."""
WARM_UP = 3


class Vendor(ModelServer):
    """Streams a draft, and knows when its first byte leaves."""

    def __init__(self) -> None:
        streamed = Reply.stream(*responses_events(responses_answer(DRAFT)), pause=THINKING)
        super().__init__(replace(streamed, delay=THINKING), record=False)
        self.first_byte = 0.0

    def reply_to(self, request: Received) -> Reply:
        self.first_byte = perf_counter() + THINKING
        return super().reply_to(request)


async def measure(server: str) -> list[Figure]:
    async with _serving(server) as (client, vendor):
        alone = [await _first_delta(await _started(client), vendor) for _ in range(WARM_UP + RUNS)][WARM_UP:]
        run = await _started(client)
        together = await asyncio.gather(*(_first_delta(run, vendor) for _ in range(READERS)))
    return [
        Figure(name="first delta at a reader p95", unit="ms", llmflow=p95(alone), limit=100, limits="value"),
        Figure(
            name=f"the same, {READERS} readers of a run", unit="ms", llmflow=p95(together), limit=100, limits="value"
        ),
    ]


@asynccontextmanager
async def _serving(server: str) -> AsyncGenerator[tuple[Client, Vendor]]:
    with tempfile.TemporaryDirectory() as folder:
        models, store = Path(folder) / "models.yaml", str(Path(folder) / "llmflow.db")
        async with Vendor() as vendor:
            models.write_text(MODELS.format(url=vendor.url))
            env = {"LLMFLOW_MODELS": str(models), "LLMFLOW_HOME": folder, "LLMFLOW_STORE": store}
            arguments = ("--server", server, "--model", vendor.url)
            async with python("-m", "bench.worker", "llmflow", *arguments, env=env):
                yield await connect(app, address=server, store=store), vendor


async def _started(client: Client) -> Run[str]:
    return await client.start(Told.run, id=f"told-{uuid4()}")


async def _first_delta(run: Run[str], vendor: Vendor) -> float:
    """Return the milliseconds from the vendor's first byte, and read the run to its end."""
    at: float | None = None
    async with aclosing(run.events()) as events:
        async for event in events:
            if isinstance(event, TextDelta) and at is None:
                at = perf_counter() - vendor.first_byte
    assert at is not None, "no delta came"
    return at * 1000
