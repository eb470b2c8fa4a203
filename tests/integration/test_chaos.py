"""Runs of all applications while workers and the server are killed with SIGKILL at random points."""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.service import RPCError

from llmflow.client import Client, Run, connect
from llmflow.client.search_attributes import add_attributes
from llmflow.config import Settings
from llmflow.errors import LLMFlowError
from llmflow.testing import assert_replays
from llmflow.types.approvals import Decide
from tests.helpers.chaos import in_spite_of_it, running, wreak_havoc
from tests.integration.chaotic import SUBJECTS, Given, lay_out

SEED: int | None = None
"""Seed of a failure to reproduce; it is printed."""


@dataclass(frozen=True)
class Havoc:
    """Numbers of runs and kills."""

    runs: int
    """Runs of each application."""
    kills: Mapping[str, int]
    begin_within: float
    """Seconds over which the runs begin, so that the kills find them at every point."""


SHORT = Havoc(runs=3, kills={"worker": 5, "server": 1}, begin_within=3.0)
LONG = Havoc(runs=20, kills={"worker": 24, "server": 4}, begin_within=15.0)

AnyRun = Run[Any]  # Any: results of every type


@asynccontextmanager
async def decided(client: Client, given: Mapping[str, Given]) -> AsyncGenerator[None]:
    """While it is open, people look into their inbox every second, and answer what they may decide.

    What is refused was answered before, or is not asked any more.
    """

    async def answer(run: str, said: Decide) -> None:
        with suppress(LLMFlowError, RPCError):
            await client.run(run).decide(**dict(said))

    async def people() -> None:
        answering: dict[tuple[str, str, str], asyncio.Task[None]] = {}
        while True:
            with suppress(LLMFlowError, RPCError):
                for one in (await client.inbox()).items:
                    for said in given[one.run].answers:
                        which = one.run, said.approval, said.by
                        under_way = which in answering and not answering[which].done()
                        asked = said.approval == one.waiting.name and said.by in one.waiting.approvers
                        if asked and said.by not in one.waiting.approved_by and not under_way:
                            answering[which] = asyncio.create_task(answer(one.run, said))
            await asyncio.sleep(1)

    deciding = asyncio.create_task(people())
    try:
        yield
    finally:
        deciding.cancel()


async def what_it_took(run: AnyRun) -> Counter[str]:
    """Count the retried activities of a run, and the workflow tasks whose worker died."""
    took: Counter[str] = Counter()
    for event in (await run.handle.fetch_history()).events:
        took["activities tried again"] += event.activity_task_started_event_attributes.attempt > 1
        took["workflow tasks lost"] += event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT
    return took


async def begin(client: Client, id: str, given: Given, later: float) -> AnyRun:
    await asyncio.sleep(later)
    app = given.demo.app
    return await in_spite_of_it(
        lambda: client.start(given.demo.workflow, given.input, id=id, task_queue=app.task_queue)
    )


@pytest.mark.timeout(600)  # the long form takes a minute, most of it waiting until Temporal notices
async def test_every_run_ends_right_and_each_effect_happens_once(tmp_path: Path, soak: bool) -> None:
    done = LONG if soak else SHORT
    seed = secrets.randbelow(10**6) if SEED is None else SEED
    print(f"SEED = {seed}")
    chance = random.Random(seed)
    home, begun = tmp_path / "home", perf_counter()
    documents = tmp_path / "documents"
    documents.mkdir()
    lay_out(documents)
    environ = {"LLMFLOW_HOME": str(home), "LLMFLOW_MODELS": "offline", "LLMFLOW_DOCUMENTS": str(documents)}
    given = {f"{one.name}-{number}": one.given(number) for one in SUBJECTS for number in range(done.runs)}
    plan = list(Counter(done.kills).elements())
    chance.shuffle(plan)
    async with running(tmp_path, environ) as (server, workers):
        client = await connect(address=server.address)
        await add_attributes(client.temporal, Settings().attributes)  # the inbox goes by them
        havoc = asyncio.create_task(wreak_havoc(chance, server, workers, plan))
        async with decided(client, given):
            starts = [begin(client, id, one, chance.uniform(0, done.begin_within)) for id, one in given.items()]
            runs = await asyncio.gather(*starts)
            await havoc
            print(f"{perf_counter() - begun:.0f} s: killed {done.kills}")
            results = await asyncio.gather(*(in_spite_of_it(run.result) for run in runs))
        print(f"{perf_counter() - begun:.0f} s: all have ended")
        took = sum(await asyncio.gather(*map(what_it_took, runs)), Counter[str]())
        print(dict(took))
        for place, subject in enumerate(SUBJECTS):
            mine = slice(place * done.runs, (place + 1) * done.runs)
            subject.check(home, results[mine])
            for run in runs[mine][:3]:
                await assert_replays(run, subject.app)
    if soak:  # so many kills hit something of each kind; a few may miss
        assert took["activities tried again"]
        assert took["workflow tasks lost"]
