"""Run events in the store: SQLite, which readers poll, or PostgreSQL, which notifies them."""

import asyncio
import hashlib
import os
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, delete, func, select

from llmflow.errors import InputInvalid, StoreUnavailable
from llmflow.stores.database import Database
from llmflow.stores.events.streams import (
    KEPT_DELTAS,
    KEPT_EVENTS,
    PAGE,
    READS_FOR,
    RENEWS_EVERY,
    Told,
    Wait,
)
from llmflow.stores.schema import event_readers, event_streams, run_events
from llmflow.stores.upsert import insert_into
from llmflow.types.events import RunEvent, TextDelta, from_line, to_line

_SOON, _LATER = 0.02, 0.25
"""Seconds between two looks at an SQLite file, while an event is expected soon, and otherwise."""
_UNHEARD = 1.0
"""Seconds after which a reader looks without news: a proxy may swallow a notification of PostgreSQL, and two writes
into a file may have the same time."""
_PRUNED = 1_000
"""Events after which a stream is pruned, and streams that one transaction deletes."""
_NEW_READERS = "llmflow_event_readers"
"""Channel of PostgreSQL on which a new reader is announced."""
_OFFSET = re.compile(r"([1-9][0-9]{0,17})-([0-9a-f]{8})")

_e, _s, _r = run_events.c, event_streams.c, event_readers.c


class SqlStreams:
    """Streams in tables. The counter of a stream locks it, so that its numbers become visible in their order.

    Args:
        database: The store. One of its own: if its tables are missing, calls must not take the store for away.
        kept_events: Events that a stream keeps beside its deltas.
        kept_deltas: Deltas that it keeps.
    """

    def __init__(self, database: Database, *, kept_events: int = KEPT_EVENTS, kept_deltas: int = KEPT_DELTAS) -> None:
        self._database = database
        self._kept = {False: kept_events, True: kept_deltas}
        self._every = min(_PRUNED, kept_events, kept_deltas)
        # Built once: building them takes as long as executing them.
        into = insert_into(database, event_streams)
        counted = {"newest": _s.newest + into.excluded.newest, "at": into.excluded.at}
        self._count = into.on_conflict_do_update(index_elements=[_s.root_id], set_=counted).returning(
            _s.root_id, _s.newest
        )
        self._append = insert_into(database, run_events).on_conflict_do_nothing()
        into = insert_into(database, event_readers)
        self._register = into.on_conflict_do_update(index_elements=[_r.id], set_={"until": into.excluded.until})

    async def write(self, told: Sequence[Told]) -> frozenset[str]:
        """See `EventStreams.write`."""

        def append(connection: Connection) -> frozenset[str]:
            read = _read(connection)
            if kept := [one for one in told if one.stream in read or not isinstance(one.event, TextDelta)]:
                streams = Counter(one.stream for one in kept)
                self._insert(connection, kept, streams)
                if not self._database.is_sqlite:
                    # A notification locks all others of the database until its commit: only for who listens.
                    for stream in read & streams.keys():
                        connection.execute(select(func.pg_notify(_channel(stream), "")))
            return read

        return await self._database.write(append)

    def _insert(self, connection: Connection, kept: Sequence[Told], streams: Mapping[str, int]) -> None:
        now = datetime.now(UTC)
        # In one order everywhere: each counter is locked until the end, and two workers would deadlock.
        counts = [{"root_id": stream, "newest": count, "at": now} for stream, count in sorted(streams.items())]
        newest: dict[str, int] = {row.root_id: row.newest for row in connection.execute(self._count, counts)}
        numbers = {stream: last - streams[stream] for stream, last in newest.items()}
        rows: list[dict[str, object]] = []
        for one in kept:
            numbers[one.stream] += 1
            rows.append(
                {
                    "root_id": one.stream,
                    "number": numbers[one.stream],
                    "id": one.event.id,
                    "is_delta": isinstance(one.event, TextDelta),
                    "event": to_line(one.event),
                }
            )
        connection.execute(self._append, rows)
        for stream, last in newest.items():
            if last // self._every > (last - streams[stream]) // self._every:
                self._shorten(connection, stream)

    def _shorten(self, connection: Connection, stream: str) -> None:
        for is_delta, kept in self._kept.items():
            same = (_e.root_id == stream, _e.is_delta == is_delta)
            oldest = select(_e.number).where(*same).order_by(_e.number.desc()).offset(kept).limit(1)
            if (last := connection.scalar(oldest)) is not None:
                connection.execute(delete(run_events).where(*same, _e.number <= last))

    async def read_now(self) -> frozenset[str]:
        """See `EventStreams.read_now`."""
        return await self._database.read(_read)

    async def after(self, stream: str, offset: str) -> Sequence[RunEvent] | None:
        """See `EventStreams.after`."""
        number, mark = _parsed(offset)
        query = (
            select(_e.number, _e.id, _e.event)
            .where(_e.root_id == stream, _e.number >= number)
            .order_by(_e.number)
            .limit(PAGE)
        )

        def page(connection: Connection) -> Sequence[RunEvent] | None:
            newest = connection.scalar(select(_s.newest).where(_s.root_id == stream)) or 0
            if newest < number:
                return None
            rows = connection.execute(query).all()
            if number and rows and rows[0].number == number:  # it is gone if it was pruned, which is no matter
                if _mark(rows[0].id) != mark:
                    return None
                rows = rows[1:]
            return [from_line(row.event, row.id, f"{row.number}-{_mark(row.id)}") for row in rows]

        return await self._database.read(page)

    @asynccontextmanager
    async def following(self, stream: str) -> AsyncGenerator[Wait]:
        """See `EventStreams.following`."""
        reader = uuid4().hex
        await self._database.prepare()
        await self._reads(reader, stream)
        await self._announce()
        renewing = asyncio.create_task(self._renew(reader, stream))
        try:
            async with self._database.notified(_channel(stream)) as news:
                seen = (0, 0)

                async def wait(offset: str, soon: bool) -> None:
                    nonlocal seen
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_UNHEARD):
                            if news:
                                await news.wait()
                                news.clear()
                            else:
                                seen = await self._changed(seen, soon)

                yield wait
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            with suppress(StoreUnavailable):  # it is forgotten by itself
                await self._database.write(lambda one: one.execute(delete(event_readers).where(_r.id == reader)))

    async def _renew(self, reader: str, stream: str) -> None:
        while True:
            await asyncio.sleep(RENEWS_EVERY.total_seconds())
            with suppress(StoreUnavailable):  # the reader finds out by itself
                await self._reads(reader, stream)

    async def _reads(self, reader: str, stream: str) -> None:
        row = {"id": reader, "root_id": stream, "until": datetime.now(UTC) + READS_FOR}
        await self._database.write(lambda connection: connection.execute(self._register, row))

    async def _changed(self, before: tuple[int, int], soon: bool) -> tuple[int, int]:
        """Wait until the file was written to, by any process, and return its new state."""
        while (now := self._written()) == before:  # noqa: ASYNC110 - no other process can set an event here
            await asyncio.sleep(_SOON if soon else _LATER)
        return now

    def _written(self) -> tuple[int, int]:
        """Return what changes with each write into an SQLite file. A look costs a two hundredth of a query."""
        try:
            log = os.stat(f"{self._database.name}-wal")
        except OSError:  # the last connection has closed
            return -1, -1
        return log.st_mtime_ns, log.st_size

    async def _announce(self) -> None:
        """Make workers notice a new reader."""
        if self._database.is_sqlite:
            with suppress(OSError):  # they notice by their next write
                self._marker.touch()
        else:
            notify = select(func.pg_notify(_NEW_READERS, ""))
            await self._database.write(lambda connection: connection.execute(notify))

    @asynccontextmanager
    async def noticing(self) -> AsyncGenerator[Callable[[], bool]]:
        """See `EventStreams.noticing`."""
        async with self._database.notified(_NEW_READERS) as news:
            before = self._marked()

            def has_come() -> bool:
                nonlocal before
                if news is None:  # a look at a file takes 2 microseconds, and a look into it a thousand
                    now, before = before, self._marked()
                    return now != before
                is_new = news.is_set()
                news.clear()
                return is_new

            yield has_come

    @property
    def _marker(self) -> Path:
        """File beside an SQLite file that readers touch."""
        return Path(f"{self._database.name}-readers")

    def _marked(self) -> int:
        try:
            return os.stat(self._marker).st_mtime_ns if self._database.is_sqlite else 0
        except OSError:
            return 0

    async def prune(self, before: datetime) -> None:
        """See `EventStreams.prune`."""
        old = select(_s.root_id).where(_s.at < before).limit(_PRUNED)

        def some(connection: Connection) -> int:
            connection.execute(delete(event_readers).where(_r.until < datetime.now(UTC) - timedelta(hours=1)))
            found = [*connection.scalars(old)]
            connection.execute(delete(run_events).where(_e.root_id.in_(found)))
            connection.execute(delete(event_streams).where(_s.root_id.in_(found)))
            return len(found)

        while await self._database.write(some) == _PRUNED:
            pass

    async def close(self) -> None:
        """See `EventStreams.close`."""
        await self._database.close()


def _read(connection: Connection) -> frozenset[str]:
    return frozenset(connection.scalars(select(_r.root_id).where(_r.until > datetime.now(UTC))))


def _channel(stream: str) -> str:
    """Return the channel of a stream: PostgreSQL takes names of at most 63 bytes."""
    return f"llmflow_{hashlib.sha256(stream.encode()).hexdigest()[:40]}"


def _mark(id: str) -> str:
    """Return a mark of an event, which tells if another one has its number since the store was set back."""
    return hashlib.sha256(id.encode()).hexdigest()[:8]


def _parsed(offset: str) -> tuple[int, str]:
    if not offset:
        return 0, ""
    if (found := _OFFSET.fullmatch(offset)) is None:
        raise InputInvalid(f"offset {offset[:40]!r} is none of this store: give that of an event, or none")
    return int(found[1]), found[2]
