"""How much of each limit is used: in this process, or in a Redis that a fleet shares."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from llmflow.errors import ConfigInvalid
from llmflow.providers.models.limits import Limit

if TYPE_CHECKING:
    from limits.aio.storage import MemoryStorage
    from limits.aio.storage.redis import RedisStorage
    from limits.aio.strategies import SlidingWindowCounterRateLimiter
    from limits.limits import RateLimitItem
    from redis.asyncio import ConnectionPool

_log = logging.getLogger("llmflow.limits")
_T = TypeVar("_T")

REDIS_TIMEOUT = 1.0
"""Seconds to wait for Redis. A call waits for the limiter, so it must be short beside a model's answer."""
REDIS_PAUSE = 10.0
"""Seconds for which a Redis that did not answer is not asked again."""
REDIS_CONNECTIONS = 50
"""Of one worker, at most. More calls at once wait for each other, for as long as they wait for Redis."""

_NO_LIMIT = 2**53
"""What was used has been used; Redis counts exactly up to here."""


@dataclass(frozen=True, kw_only=True)
class Counter:
    """What is counted, and how much of it there may be."""

    key: str
    """Tells it from every other counter, such as `provider/openai/tokens`."""
    limit: Limit


@dataclass(frozen=True)
class Window:
    """A counter now. The limit slides: the stretch before the current one counts less and less as time goes by."""

    previous: int
    """Used in the stretch before the current one."""
    fades: float
    """Seconds until the previous stretch counts no more."""
    current: int
    """Used in the current stretch."""
    lasts: float
    """Seconds until the current stretch counts no more: from the length of two stretches down to one."""

    def wait(self, cost: int, limit: Limit) -> float:
        """Seconds until there is room for `cost`, if nobody else takes it."""
        room = limit.amount - cost + 1  # what is used must be less than this, since parts of one are not counted
        if self.current < room:
            return (
                max(self.fades - limit.seconds * (room - self.current) / self.previous, 0.0) if self.previous else 0.0
            )
        return self.lasts - limit.seconds * room / self.current


class Counters:
    """Counts in sliding windows, with the library `limits`: two numbers for each limit, however large it is.

    A Redis that is away stops no paid work: each process then counts for itself, so a fleet may use up to as many times
    its limits as it has workers, and the vendor's own limits still hold.
    """

    def __init__(
        self, redis_url: str | None = None, *, timeout: float = REDIS_TIMEOUT, pause: float = REDIS_PAUSE
    ) -> None:
        # Imported here because it takes 60 ms, and redis 300 ms, which only those pay who have limits.
        from limits.aio.storage import MemoryStorage
        from limits.aio.strategies import SlidingWindowCounterRateLimiter
        from limits.limits import RateLimitItemPerSecond

        self._item: Callable[[int, int], RateLimitItem] = RateLimitItemPerSecond
        self._memory = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._pool = _connection_pool(redis_url, timeout) if redis_url else None
        self._shared = SlidingWindowCounterRateLimiter(_redis_storage(redis_url, self._pool)) if redis_url else None
        self._pause = pause
        self._away_until = 0.0
        self._is_away = False

    async def take(self, counter: Counter, cost: int) -> float:
        """Take `cost` if there is room for all of it, and then say 0; else the seconds until there is."""

        async def ask(limiter: "SlidingWindowCounterRateLimiter") -> float:
            if await limiter.hit(self._item_of(counter), counter.key, cost=cost):
                return 0.0
            window = await self._window(limiter, counter)
            return window.wait(cost, counter.limit) + 0.001  # the moment itself is one too early

        return await self._ask(ask)

    async def add(self, counter: Counter, cost: int, taken_at: float) -> None:
        """Take more than what was taken at that time, room or not; or, if it is negative, give it back.

        What was taken in a stretch of time that is over is not given back: it would be credit for the next one.
        """

        async def ask(limiter: "SlidingWindowCounterRateLimiter") -> None:
            more, length = cost, counter.limit.seconds
            if cost < 0:
                asked = time.time()  # and not when the answer is there, which would make the stretch younger than it is
                window = await self._window(limiter, counter)
                began = asked + window.lasts - 2 * length - 0.001  # Redis counts in milliseconds
                more = max(cost, -window.current) if taken_at >= began else 0
            if more:
                key = self._item_of(counter).key_for(counter.key)
                await _storage(limiter).acquire_sliding_window_entry(key, _NO_LIMIT, length, more)

        await self._ask(ask)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool:
            await self._pool.aclose()

    def _item_of(self, counter: Counter) -> "RateLimitItem":
        return self._item(counter.limit.amount, counter.limit.seconds)

    async def _window(self, limiter: "SlidingWindowCounterRateLimiter", counter: Counter) -> Window:
        key = self._item_of(counter).key_for(counter.key)
        return Window(*await _storage(limiter).get_sliding_window(key, counter.limit.seconds))

    async def _ask(self, ask: "Callable[[SlidingWindowCounterRateLimiter], Awaitable[_T]]") -> _T:
        if self._shared is None or time.monotonic() < self._away_until:
            return await ask(self._memory)
        try:
            answer = await ask(self._shared)
        except self._shared.storage.base_exceptions as error:
            self._away_until = time.monotonic() + self._pause
            if not self._is_away:
                _log.warning("Redis does not answer: each worker counts its limits alone until it does (%s)", error)
            self._is_away = True
            return await ask(self._memory)
        if self._is_away:
            _log.info("Redis answers again: workers share their limits")
        self._is_away = False
        return answer


def _storage(limiter: "SlidingWindowCounterRateLimiter") -> "MemoryStorage | RedisStorage":
    return cast("MemoryStorage | RedisStorage", limiter.storage)


def _connection_pool(url: str, timeout: float) -> "ConnectionPool":
    try:
        from redis.asyncio import BlockingConnectionPool
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError:
        raise ConfigInvalid("LLMFLOW_REDIS is set, and redis is not installed: pip install 'llmflow[redis]'") from None
    once_more = Retry(NoBackoff(), 1)  # a connection that was idle may have been closed meanwhile
    try:
        return BlockingConnectionPool.from_url(  # the other kind has no connection for a call that finds all in use
            url,
            max_connections=REDIS_CONNECTIONS,
            timeout=timeout,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=once_more,
        )
    except ValueError as error:
        raise ConfigInvalid(
            f"LLMFLOW_REDIS is no address of a Redis, such as redis://localhost:6379/0: {error}"
        ) from None


def _redis_storage(url: str, pool: object) -> "RedisStorage":
    from limits.aio.storage.redis import RedisStorage

    connected = cast(Any, pool)  # Any: the library passes its options on, and declares them as text and numbers alone
    return RedisStorage(url, implementation="redispy", key_prefix="llmflow", connection_pool=connected)
