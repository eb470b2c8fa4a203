"""Counters of limits: in this process, or in a Redis that a fleet shares."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from llmflow.errors import ConfigInvalid
from llmflow.providers.models.limits import Limit
from llmflow.types.urls import masked

if TYPE_CHECKING:
    from limits.aio.storage import MemoryStorage
    from limits.aio.storage.redis import RedisStorage
    from limits.aio.strategies import SlidingWindowCounterRateLimiter
    from limits.limits import RateLimitItem
    from redis.asyncio import ConnectionPool

_log = logging.getLogger("llmflow.limits")
_T = TypeVar("_T")

REDIS_TIMEOUT = 1.0
"""Seconds to wait for Redis; short beside a model's answer, because each call waits for the limiter."""
REDIS_PAUSE = 10.0
"""Seconds without requests to a Redis that did not answer."""
REDIS_CONNECTIONS = 50
"""Upper limit of connections per worker. More concurrent calls wait for a connection, up to the timeout."""

_NO_LIMIT = 2**53
"""Limit for usage that is already paid; the largest exact count in Redis."""


@dataclass(frozen=True, kw_only=True)
class Counter:
    """A counter and its limit."""

    key: str
    """Unique key, such as `provider/openai/tokens`."""
    limit: Limit


@dataclass(frozen=True)
class Window:
    """State of a counter. The window slides: the weight of the previous interval falls as time passes."""

    previous: int
    """Usage in the previous interval."""
    fades: float
    """Seconds until the previous interval has no weight."""
    current: int
    """Usage in the current interval."""
    lasts: float
    """Seconds until the current interval has no weight: from two interval lengths down to one."""

    def wait(self, cost: int, limit: Limit) -> float:
        """Return the seconds until there is room for `cost`, unless another call takes it."""
        room = limit.amount - cost + 1  # usage must be below this, because fractions are not counted
        if self.current < room:
            return (
                max(self.fades - limit.seconds * (room - self.current) / self.previous, 0.0) if self.previous else 0.0
            )
        return self.lasts - limit.seconds * room / self.current


class Counters:
    """Counters in sliding windows, with the library `limits`: two numbers per limit of any size.

    Without its Redis, each worker counts alone and work continues. A fleet may then use its limits once per worker; the
    vendor's own limits still apply.
    """

    def __init__(
        self, redis_url: str | None = None, *, timeout: float = REDIS_TIMEOUT, pause: float = REDIS_PAUSE
    ) -> None:
        # Imported here because it takes 60 ms, and redis 300 ms: only workers with limits should pay that.
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
        """Take `cost` and return 0 if there is room for all of it; else return the seconds until there is."""

        async def ask(limiter: "SlidingWindowCounterRateLimiter") -> float:
            if await limiter.hit(self._item_of(counter), counter.key, cost=cost):
                return 0.0
            window = await self._window(limiter, counter)
            return window.wait(cost, counter.limit) + 0.001  # at the exact moment there is no room yet

        return await self._ask(ask)

    async def add(self, counter: Counter, cost: int, taken_at: float) -> None:
        """Correct what was taken at `taken_at`: take more, even without room, or give back a negative `cost`.

        Nothing is given back to an interval that is over, because it would be credit for the next one.
        """

        async def ask(limiter: "SlidingWindowCounterRateLimiter") -> None:
            more, length = cost, counter.limit.seconds
            if cost < 0:
                asked = time.time()  # before the answer: a later time would make the interval seem younger than it is
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
                _log.warning("Redis does not answer: until it does, each worker counts its limits alone (%s)", error)
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
        raise ConfigInvalid("LLMFLOW_REDIS is set, but redis is not installed: pip install 'llmflow[redis]'") from None
    once_more = Retry(NoBackoff(), 1)  # an idle connection may have been closed
    try:
        return BlockingConnectionPool.from_url(  # the plain pool raises if all connections are in use
            url,
            max_connections=REDIS_CONNECTIONS,
            timeout=timeout,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=once_more,
        )
    except ValueError:  # its text may have parts of the password
        raise ConfigInvalid(
            f"LLMFLOW_REDIS is not the URL of a Redis: {masked(url)}; give one like redis://localhost:6379/0"
        ) from None


def _redis_storage(url: str, pool: object) -> "RedisStorage":
    from limits.aio.storage.redis import RedisStorage

    connected = cast(Any, pool)  # Any: the library forwards the option, but declares only text and numbers
    return RedisStorage(url, implementation="redispy", key_prefix="llmflow", connection_pool=connected)
