"""Workers that are killed with SIGKILL at any point: nothing that the journal has is paid again, and no run is lost."""

import asyncio
import random
import re
import secrets
import sqlite3
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import pytest

from llmflow.client import Client, Run, connect
from tests.helpers.forked import forked, killed
from tests.helpers.gate import Gate
from tests.helpers.model_server import ModelServer, Received, Reply
from tests.helpers.waiting import until
from tests.integration.five import Five

SEED: int | None = None
"""Seed of a failure to reproduce; it is printed."""
THINKING = 0.2
"""Seconds that the vendor takes."""
SHORT, LONG = 3, 10
"""Runs at once, because Temporal needs ten seconds to notice that a worker is dead."""
KILLS = 2
"""Kills of each run, at different calls."""
KINDS = ("journalled", "thinking", "answered")


class Vendor(ModelServer):
    """Knows which of the calls a request is, and when it was answered if it is answered at once."""

    def __init__(self, delay: float) -> None:
        super().__init__(Reply.text("good day", delay=delay))
        self.asked: Counter[int] = Counter()
        self.answered_at: list[float] = []

    def reply_to(self, request: Received) -> Reply:
        found = re.search(rb"call (\d)", request.body)
        assert found, request.body
        self.asked[int(found[1])] += 1
        return super().reply_to(request)

    def encode(self, reply: Reply, path: str, streamed: bool) -> bytes:
        data = super().encode(reply, path, streamed)
        self.answered_at.append(perf_counter())
        return data

    async def is_asked(self, number: int) -> None:
        """Wait for the next request of that call."""
        before = self.asked[number]
        while self.asked[number] == before:
            await self.arrived(self.count + 1)


class Journal:
    """The file of a store, read from outside."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "llmflow.db"

    def rows(self, query: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(self._path)) as file:
            return file.execute(query).fetchall()

    def numbers(self) -> set[int]:
        """The calls whose answers it has."""
        return {int(activity.partition("#")[2]) for (activity,) in self.rows("SELECT activity_id FROM answers")}

    async def has(self, number: int) -> bool:
        return number in self.numbers()


@dataclass(frozen=True)
class Kill:
    """When a worker dies."""

    call: int
    when: str
    """While the vendor thinks, about when it has answered, or when the journal has the answer and Temporal has not."""
    share: float
    """Position in that time, from 0 to 1."""


@dataclass
class Lane:
    """One run, the vendor of its calls, and the journal of its workers."""

    run: Run[list[str]]
    vendor: Vendor
    gate: Gate
    journal: Journal
    unpaid: Counter[int]
    """Count the calls that were in flight, and not in the journal, when their worker died."""
    hits: Counter[str]

    async def strike(self, kill: Kill, worker: BaseProcess) -> None:
        await self.vendor.is_asked(kill.call)
        if kill.when == "journalled":
            self.gate.shut()
            await until(lambda: self.journal.has(kill.call))
        else:
            begin, length = (0.0, THINKING) if kill.when == "thinking" else (THINKING, 0.03)
            await asyncio.sleep(begin + kill.share * length)
        await killed(worker)
        await self.gate.cut()
        await self.vendor.alone()  # its last request may still be on the way
        journal = self.journal.numbers()
        self.unpaid.update(number for number in self.vendor.asked if number not in journal)
        self.hits[kill.when] += 1
        if kill.when == "journalled":
            assert kill.call not in await self.ended()

    async def ended(self) -> set[int]:
        """The calls whose activity has ended, for Temporal."""
        events = (await self.run.handle.fetch_history()).events
        ids = {
            event.event_id: event.activity_task_scheduled_event_attributes.activity_id
            for event in events
            if event.HasField("activity_task_scheduled_event_attributes")
        }
        ended = [event.activity_task_completed_event_attributes for event in events]
        return {int(ids[one.scheduled_event_id].partition("#")[2]) for one in ended if one.scheduled_event_id}


def kinds(lanes: int) -> list[str]:
    """Return the kinds of all kills. A third is surely between the journal and the end of the activity."""
    return [KINDS[number % len(KINDS)] for number in range(lanes * KILLS)]


def plans(seed: int, lanes: int) -> list[list[Kill]]:
    """For each lane its kills."""
    chance = random.Random(seed)
    left = kinds(lanes)
    chance.shuffle(left)
    return [
        [Kill(call, left.pop(), chance.random()) for call in sorted(chance.sample(range(1, 6), KILLS))]
        for _ in range(lanes)
    ]


@asynccontextmanager
async def lane(temporal: str, folder: Path) -> AsyncGenerator[tuple[Lane, str, dict[str, str]]]:
    queue = f"kill-{uuid.uuid4()}"
    client = Client((await connect(address=temporal)).temporal, queue)
    async with Vendor(THINKING) as vendor, Gate(temporal) as gate:
        run = await client.start(Five.run, id=queue)
        one = Lane(run, vendor, gate, Journal(folder), Counter(), Counter())
        yield one, queue, environ(gate.address, vendor, folder)


def environ(temporal: str, vendor: Vendor, folder: Path) -> dict[str, str]:
    return {
        "TEMPORAL_ADDRESS": temporal,
        "OPENAI_BASE_URL": vendor.url,
        "OPENAI_API_KEY": "sk-test",
        "LLMFLOW_HOME": str(folder),
        "LLMFLOW_STORE": str(folder / "llmflow.db"),
    }


async def survive(temporal: str, folder: Path, plan: list[Kill]) -> Lane:
    """A run of five calls, whose workers die as planned."""
    async with lane(temporal, folder) as (one, queue, env):
        for kill in plan:
            async with forked(queue, env) as worker:
                await one.strike(kill, worker)
        async with forked(queue, env):
            assert await one.run.result() == ["good day"] * 5
        return one


@pytest.mark.timeout(300)  # 40 s, most of it waiting
async def test_nothing_in_the_journal_is_paid_again_and_no_run_is_lost(
    temporal: str, tmp_path: Path, soak: bool
) -> None:
    count = LONG if soak else SHORT
    seed = secrets.randbelow(10**6) if SEED is None else SEED
    print(f"SEED = {seed}")
    folders = [tmp_path / str(number) for number in range(count)]
    lanes = await asyncio.gather(*map(survive, [temporal] * count, folders, plans(seed, count)))
    for one in lanes:
        print(f"asked {dict(one.vendor.asked)}, killed before the journal {dict(one.unpaid)}")
        assert one.vendor.asked == Counter(range(1, 6)) + one.unpaid
        assert one.journal.rows("SELECT count(*) FROM calls WHERE outcome = 'answered'") == [(5,)]
        [[lost]] = one.journal.rows("SELECT count(*) FROM calls WHERE outcome = 'lost'")
        assert one.unpaid.total() <= int(lost) <= KILLS  # one may have died before it asked, which nobody can know
    hits = sum((one.hits for one in lanes), Counter[str]())
    assert hits == Counter(kinds(count))


RUNS = 8


async def test_the_window_in_which_a_paid_answer_can_be_lost(
    temporal: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """From the vendor's last byte until the answer is in the journal. Measured and told; a machine may be busy."""
    queue = f"kill-{uuid.uuid4()}"
    client = Client((await connect(address=temporal)).temporal, queue)
    async with Vendor(delay=0) as vendor, forked(queue, environ(temporal, vendor, tmp_path)):
        await (await client.start(Five.run, id=queue)).result()  # connections, caches, lazy imports
        vendor.answered_at.clear()
        seen = asyncio.create_task(asyncio.to_thread(_watch, tmp_path / "llmflow.db", RUNS * 5))
        for number in range(RUNS):
            await (await client.start(Five.run, id=f"{queue}-{number}")).result()
        written_at = await seen
    windows = [1000 * (after - before) for before, after in zip(vendor.answered_at, written_at, strict=True)]
    p95 = quantiles(windows, n=20)[-1]
    told = f"p50 {median(windows):.1f} ms, p95 {p95:.1f} ms, of {len(windows)} calls"
    print(told)
    record_property("vendor's last byte to journal", told)
    assert min(windows) > 0


def _watch(path: Path, count: int) -> list[float]:
    """When each of the answers was there for everybody to read."""
    seen: list[float] = []
    with closing(sqlite3.connect(path)) as file:
        [[before]] = file.execute("SELECT count(*) FROM answers")
        while len(seen) < count:
            [[found]] = file.execute("SELECT count(*) FROM answers")
            seen += [perf_counter()] * (found - before - len(seen))
    return seen
