"""Streams of run events: order, one event for one id, resuming, readers, bounds, and a store that was set back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest

from llmflow.errors import ConfigInvalid, InputInvalid, StoreUnavailable
from llmflow.stores.database import Database
from llmflow.stores.events.redis import RedisStreams
from llmflow.stores.events.sql import SqlStreams
from llmflow.stores.events.streams import EventStreams, Told
from llmflow.types.events import RunEvent, StepOpened, TextDelta
from tests.helpers.postgres import Postgres
from tests.helpers.processes import free_port

AT = datetime(2026, 11, 30, tzinfo=UTC)
KEPT = 6
"""Events and deltas that the streams of these tests keep."""


def opened(stream: str, path: str) -> Told:
    return Told(stream=stream, event=StepOpened(id=f"step_opened:{path}", at=AT, run=stream, path=path))


def delta(stream: str, position: int) -> Told:
    piece = TextDelta(id=f"text_delta:{position}", at=AT, path="complete#1", attempt=1, position=position, text="a")
    return Told(stream=stream, event=piece)


def paths(events: object) -> list[str]:
    assert isinstance(events, list)
    return [one.path for one in events if isinstance(one, StepOpened)]


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Postgres | str:
    """A cluster of PostgreSQL, the URL of a Redis, or the path of a file."""
    if request.param == "sqlite":
        return str(tmp_path / "llmflow.db")
    return request.getfixturevalue("postgres" if request.param == "postgresql" else "redis_url")


@pytest.fixture
async def streams(place: Postgres | str) -> AsyncIterator[EventStreams]:
    """The streams of a place, each of which keeps few events."""
    if isinstance(place, str) and place.startswith("redis"):
        found = RedisStreams(place, kept=2 * KEPT, is_exact=True)
    else:
        database = Database(place if isinstance(place, str) else await place.database())
        await database.upgrade()
        found = SqlStreams(database, kept_events=KEPT, kept_deltas=KEPT)
    yield found
    await found.close()


@pytest.fixture
def stream() -> str:
    """The name of a new stream: Redis is shared by the session."""
    return f"run-{uuid4()}"


async def test_events_are_read_in_their_order_and_once(streams: EventStreams, stream: str) -> None:
    assert await streams.after(stream, "") == []
    await streams.write([opened(stream, "a"), opened(f"{stream}-other", "x"), opened(stream, "b")])
    await streams.write([opened(stream, "b"), opened(stream, "c")])
    found = await streams.after(stream, "")
    assert found
    assert paths(found) == ["a", "b", "c"], "an event that is written twice is one"
    assert paths(await streams.after(stream, found[0].offset)) == ["b", "c"]
    assert await streams.after(stream, found[-1].offset) == []
    assert found[0].id == "step_opened:a"


async def test_deltas_are_kept_only_while_the_stream_is_read(streams: EventStreams, stream: str) -> None:
    assert stream not in await streams.write([delta(stream, 0), opened(stream, "a")])
    async with streams.following(stream):
        assert stream in await streams.read_now()
        assert stream in await streams.write([delta(stream, 1), delta(f"{stream}-other", 1)])
    assert stream not in await streams.read_now()
    assert stream not in await streams.write([delta(stream, 2)])
    found = await streams.after(stream, "")
    assert found
    assert [one.position for one in found if isinstance(one, TextDelta)] == [1]
    assert paths(found) == ["a"]
    assert await streams.after(f"{stream}-other", "") == []


async def test_a_reader_hears_of_news_at_once(streams: EventStreams, stream: str) -> None:
    async with streams.following(stream) as wait:

        async def read() -> tuple[RunEvent, float]:
            while not (found := await streams.after(stream, "")):
                await wait("", True)
            return found[0], monotonic()

        reading = asyncio.create_task(read())
        await asyncio.sleep(0.1)
        began = monotonic()
        await streams.write([opened(stream, "a")])
        event, at = await reading
    assert event.path == "a"
    assert at - began < 0.9, "sooner than a reader looks by itself"


async def test_an_offset_that_the_stream_does_not_have_is_told(streams: EventStreams, stream: str) -> None:
    await streams.write([opened(stream, "a"), opened(stream, "b")])
    found = await streams.after(stream, "")
    assert found
    assert await streams.after(f"{stream}-new", found[-1].offset) is None, "the store was set back to nothing"
    await streams.write([opened(f"{stream}-new", path) for path in "uvw"])
    if isinstance(streams, SqlStreams):  # Redis numbers by its clock
        assert await streams.after(f"{stream}-new", found[-1].offset) is None, "and has grown since"
    for odd in ("7", "x", "0-00000000", "1-zzzzzzzz", "99999999999999999999-00000000", "1-1-1", "1-1 "):
        with pytest.raises(InputInvalid):
            await streams.after(stream, odd)


async def test_a_stream_keeps_the_latest(streams: EventStreams, stream: str) -> None:
    async with streams.following(stream):
        for at in range(0, 40, 2):
            await streams.write([opened(stream, f"{at:02}"), delta(stream, at)])
    found = await streams.after(stream, "")
    assert found
    kept = paths(found)
    assert kept[-1] == "38"
    assert KEPT <= len(kept) <= 2 * KEPT
    assert len(found) <= 4 * KEPT
    assert await streams.after(stream, found[0].offset) == found[1:]


async def test_idle_streams_are_deleted(streams: EventStreams, stream: str) -> None:
    await streams.write([opened(stream, "a")])
    await streams.prune(datetime.now(UTC) - timedelta(hours=1))
    assert paths(await streams.after(stream, "")) == ["a"]
    await streams.prune(datetime.now(UTC) + timedelta(hours=1))
    if isinstance(streams, SqlStreams):  # Redis deletes by itself
        assert await streams.after(stream, "") == []


async def test_workers_write_at_once(streams: EventStreams, stream: str) -> None:
    """Numbers become visible in their order: a reader that has seen one misses none before it."""
    seen: list[str] = []
    total = 5

    async def write(worker: int) -> None:
        await streams.write([opened(stream, f"{worker}"), opened(f"{stream}-{worker % 2}", "other")])

    async def read() -> None:
        offset = ""
        async with streams.following(stream) as wait:
            while len(seen) < total:
                for event in await streams.after(stream, offset) or ():
                    seen.append(event.path)
                    offset = event.offset
                await wait(offset, True)

    async with asyncio.timeout(20):
        await asyncio.gather(read(), *(write(worker) for worker in range(total)))
    assert sorted(seen) == [f"{worker}" for worker in range(total)]


async def test_a_redis_that_is_away_is_told() -> None:
    away = RedisStreams(f"redis://:secret@127.0.0.1:{free_port()}/0")
    with pytest.raises(StoreUnavailable, match="LLMFLOW_EVENTS") as error:
        await away.write([opened("run", "a")])
    assert "secret" not in error.value.message
    await away.close()
    with pytest.raises(ConfigInvalid, match="LLMFLOW_EVENTS"):
        RedisStreams("redis://localhost:port")
