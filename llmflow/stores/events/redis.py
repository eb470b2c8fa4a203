"""Run events in Redis streams, one for each root run. Redis itself deletes those that are idle."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from time import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from llmflow.errors import ConfigInvalid, InputInvalid, StoreUnavailable
from llmflow.stores.events.streams import (
    KEPT_DELTAS,
    KEPT_EVENTS,
    KEPT_FOR,
    PAGE,
    READS_FOR,
    RENEWS_EVERY,
    Told,
    Wait,
)
from llmflow.types.events import RunEvent, TextDelta, from_line, to_line
from llmflow.types.urls import masked

if TYPE_CHECKING:
    from redis.asyncio import Redis

_READERS = "llmflow:event-readers"
"""Sorted set of `reader stream`, by the time until which it reads."""
_BLOCK = 1_000
"""Milliseconds of a read that waits for news."""
_WITHIN = 5.0
"""Seconds that an answer may take, the wait for news included."""
_OFFSET = re.compile(r"[1-9][0-9]{12,14}-[0-9]{1,9}")

_APPEND = """
for at = 4, #ARGV, 2 do
  if redis.call('SADD', KEYS[2], ARGV[at]) == 1 then
    redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[1], ARGV[2], '*', 'id', ARGV[at], 'event', ARGV[at + 1])
  end
end
if redis.call('SCARD', KEYS[2]) > 2 * ARGV[2] then redis.call('DEL', KEYS[2]) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
"""
"""Appends events whose ids are new. The ids of a long stream are forgotten at times: only recent events come twice."""


class RedisStreams:
    """Streams of Redis.

    Args:
        url: `redis://host:port/database`, or `rediss://` with TLS.
        kept: Events that a stream keeps, deltas included.
        is_exact: Keep no event more; Redis trims whole blocks otherwise, which is faster.
    """

    def __init__(self, url: str, *, kept: int = KEPT_EVENTS + KEPT_DELTAS, is_exact: bool = False) -> None:
        self._redis = _connected(url)
        self._name = masked(url)
        self._limits = ("=" if is_exact else "~", kept, round(KEPT_FOR.total_seconds()))

    async def write(self, told: Sequence[Told]) -> frozenset[str]:
        """See `EventStreams.write`."""
        read = await self.read_now()
        lines: dict[str, list[str]] = {}
        for one in told:
            if one.stream in read or not isinstance(one.event, TextDelta):
                lines.setdefault(one.stream, []).extend((one.event.id, to_line(one.event)))
        if lines:
            async with self._answers():
                pipeline: Any = self._redis.pipeline(transaction=False)  # Any: its commands are partly untyped
                for stream, arguments in lines.items():
                    pipeline.eval(_APPEND, 2, _events(stream), f"{_events(stream)}:ids", *self._limits, *arguments)
                await pipeline.execute()
        return read

    async def read_now(self) -> frozenset[str]:
        """See `EventStreams.read_now`."""
        async with self._answers():
            found = await self._redis.zrangebyscore(_READERS, time(), "+inf")
        return frozenset(str(member).partition(" ")[2] for member in found)

    async def after(self, stream: str, offset: str) -> Sequence[RunEvent] | None:
        """See `EventStreams.after`. Offsets are times, so a stream that was set back has none of a later time."""
        if offset and not _OFFSET.fullmatch(offset):
            raise InputInvalid(f"offset {offset[:40]!r} is none of this Redis: give that of an event, or none")
        async with self._answers():
            pipeline: Any = self._redis.pipeline(transaction=False)  # Any: as above
            pipeline.xrange(_events(stream), f"({offset}" if offset else "-", "+", count=PAGE)
            pipeline.xrevrange(_events(stream), "+", "-", count=1)
            rows, newest = await pipeline.execute()
        if offset and (not newest or _order(newest[0][0]) < _order(offset)):
            return None
        return [from_line(fields["event"], fields["id"], id) for id, fields in rows]

    @asynccontextmanager
    async def following(self, stream: str) -> AsyncGenerator[Wait]:
        """See `EventStreams.following`."""
        reader = f"{uuid4().hex} {stream}"
        await self._reads(reader)
        renewing = asyncio.create_task(self._renew(reader))

        async def wait(offset: str, soon: bool) -> None:
            async with self._answers():
                await self._redis.xread({_events(stream): offset or "0-0"}, count=1, block=_BLOCK)

        try:
            yield wait
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            with suppress(StoreUnavailable):  # it is forgotten by itself
                async with self._answers():
                    await self._redis.zrem(_READERS, reader)

    async def _renew(self, reader: str) -> None:
        while True:
            await asyncio.sleep(RENEWS_EVERY.total_seconds())
            with suppress(StoreUnavailable):  # the reader finds out by itself
                await self._reads(reader)

    async def _reads(self, reader: str) -> None:
        async with self._answers():
            await self._redis.zadd(_READERS, {reader: time() + READS_FOR.total_seconds()})

    @asynccontextmanager
    async def noticing(self) -> AsyncGenerator[Callable[[], bool]]:
        """See `EventStreams.noticing`. A write into Redis is cheap, so each tells at once if there are readers."""
        yield lambda: True

    async def prune(self, before: datetime) -> None:
        """See `EventStreams.prune`. Redis has deleted the streams."""
        long_ago = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
        async with self._answers():
            await self._redis.zremrangebyscore(_READERS, "-inf", long_ago)

    async def close(self) -> None:
        """See `EventStreams.close`."""
        await self._redis.aclose()

    @asynccontextmanager
    async def _answers(self) -> AsyncGenerator[None]:
        from redis.exceptions import RedisError

        try:
            yield
        except (RedisError, OSError) as error:
            raise StoreUnavailable(
                f"the Redis {self._name} cannot be used: {error}. Is it running, and LLMFLOW_EVENTS right?"
            ) from None


def _connected(url: str) -> "Redis":
    try:  # imported here because it takes 300 ms
        from redis.asyncio import Redis
    except ImportError:
        raise ConfigInvalid(
            "LLMFLOW_EVENTS is a Redis, but redis is not installed: pip install 'llmflow[redis]'"
        ) from None
    try:
        return Redis.from_url(url, decode_responses=True, socket_timeout=_WITHIN, socket_connect_timeout=_WITHIN)
    except ValueError:  # its text may have parts of the password
        raise ConfigInvalid(
            f"LLMFLOW_EVENTS is not the URL of a Redis: {masked(url)}; give one like redis://localhost:6379/0"
        ) from None


def _events(stream: str) -> str:
    return f"llmflow:events:{{{stream}}}"  # braces: a cluster keeps the keys of a stream together


def _order(id: str) -> tuple[int, int]:
    time, _, number = id.partition("-")
    return int(time), int(number)
