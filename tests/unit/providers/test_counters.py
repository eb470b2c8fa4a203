"""How much of a limit is used: alone, together in Redis, and while Redis is away."""

import asyncio
import logging
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.errors import ConfigInvalid
from llmflow.providers import counters as module
from llmflow.providers.counters import Counter, Counters
from llmflow.providers.rates import Rate
from tests.helpers.processes import free_port
from tests.helpers.redis import NoRedis, running_redis

redis = pytest.importorskip("redis.asyncio")


def counter(amount: int = 3, seconds: int = 60) -> Counter:
    return Counter(key=f"test/{uuid.uuid4()}", rate=Rate(amount=amount, seconds=seconds))


@given(
    amount=st.integers(1, 2000),
    seconds=st.sampled_from([1, 60, 3600]),
    steps=st.lists(st.tuples(st.floats(0, 1.5), st.floats(0.001, 1)), min_size=1, max_size=30),
)
async def test_there_is_room_when_the_wait_is_over_and_not_before(
    amount: int, seconds: int, steps: list[tuple[float, float]]
) -> None:
    now = [1_800_000_000.0]
    counters, one = Counters(), counter(amount, seconds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: now[0])
        for pause, share in steps:
            now[0] += pause * seconds
            cost = max(int(share * amount), 1)
            if wait := await counters.take(one, cost):
                assert wait <= 2 * seconds + 0.001
                now[0] += wait * 0.99 - 0.001
                assert wait < 0.01 or await counters.take(one, cost)
                now[0] += wait * 0.01 + 0.002
                assert not await counters.take(one, cost)


@pytest.fixture
async def fleet(redis_url: str) -> AsyncIterator[tuple[Counters, Counters]]:
    """Two workers that count in one Redis."""
    workers = Counters(redis_url), Counters(redis_url)
    yield workers
    for worker in workers:
        await worker.close()


async def test_a_fleet_counts_together(fleet: tuple[Counters, Counters]) -> None:
    here, there = fleet
    one = counter(amount=3)
    assert [await worker.take(one, 1) for worker in (here, there, here)] == [0, 0, 0]
    waits = [await here.take(one, 1), await there.take(one, 1)]
    assert all(59 < wait <= 61 for wait in waits)

    await here.add(one, -1, time.time())
    assert await there.take(one, 1) == 0
    assert await here.take(one, 1) > 0


async def test_a_fleet_counts_what_was_really_used(fleet: tuple[Counters, Counters]) -> None:
    here, there = fleet
    one = counter(amount=1000)
    assert await here.take(one, 100) == 0
    await asyncio.gather(*(here.add(one, 300, time.time()) for _ in range(10)))  # far more than there is room for
    assert await there.take(one, 1) > 0
    await here.add(one, -2100, time.time())
    assert await there.take(one, 1) > 0
    await here.add(one, -400, time.time())
    assert await there.take(one, 401) > 0
    assert await there.take(one, 400) == 0


async def test_more_calls_at_once_than_redis_has_connections_still_count_together(
    fleet: tuple[Counters, Counters], caplog: pytest.LogCaptureFixture
) -> None:
    one = counter(amount=100)
    waits = await asyncio.gather(*(worker.take(one, 1) for worker in fleet for _ in range(60)))
    assert waits.count(0) == 100
    assert not caplog.records


async def test_what_was_taken_before_this_stretch_of_time_is_not_given_back(fleet: tuple[Counters, Counters]) -> None:
    here, _ = fleet
    one = counter()
    assert await here.take(one, 3) == 0
    await here.add(one, -3, time.time() - 61)
    assert await here.take(one, 1) > 0


async def test_while_redis_is_away_each_worker_counts_alone_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "REDIS_TIMEOUT", 0.2)
    monkeypatch.setattr(module, "REDIS_PAUSE", 0.0)  # ask it each time
    caplog.set_level(logging.INFO, "llmflow.limits")
    one = counter(amount=2)
    try:
        async with running_redis() as url:
            operator = redis.Redis.from_url(url)
            here, there = Counters(url), Counters(url)
            assert [await worker.take(one, 1) for worker in (here, there)] == [0, 0]
            assert await here.take(one, 1) > 0

            await operator.client_pause(60_000, all=False)  # it takes the question, and does not answer
            assert [await worker.take(one, 1) for worker in (here, here, there)] == [0, 0, 0]
            assert await here.take(one, 1) > 0
            assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]

            await operator.client_unpause()
            assert await here.take(one, 1) > 0
            assert "Redis answers again" in caplog.records[-1].message
            await operator.aclose()
    except NoRedis as missing:
        pytest.skip(str(missing))
    assert await here.take(counter(), 1) == 0  # it has ended
    await here.close()
    await there.close()


async def test_a_redis_that_was_never_there_is_left_alone_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    counters, one = Counters(f"redis://127.0.0.1:{free_port()}"), counter(amount=2)
    assert [await counters.take(one, 1) for _ in range(2)] == [0, 0]
    assert await counters.take(one, 1) > 0
    assert len(caplog.records) == 1
    assert "each worker counts its limits alone" in caplog.records[0].message
    await counters.close()


def test_what_redis_needs_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ConfigInvalid, match=r"LLMFLOW_REDIS is no address of a Redis, such as redis://localhost:6379/0"
    ):
        Counters("localhost:6379")
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigInvalid, match=r"pip install 'llmflow\[redis\]'"):
        Counters("redis://localhost:6379")


def test_nothing_is_loaded_that_is_not_used() -> None:
    found = "import llmflow.providers.guard, sys; print([name for name in ('limits', 'redis') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", found], capture_output=True, text=True).stdout == "[]\n"
