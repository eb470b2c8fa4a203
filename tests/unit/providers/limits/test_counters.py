"""Counters of limits: per process, in Redis, and while Redis is unavailable."""

import asyncio
import logging
import subprocess
import sys
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.errors import ConfigInvalid, LimitReached
from llmflow.providers.limits.counters import Counter, Counters
from llmflow.providers.limits.limited import Limited
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.entries import ProviderEntry
from llmflow.providers.models.limits import Limit, Limits
from llmflow.testing import ScriptedProvider
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import NoDeltas
from tests.helpers.gate import Gate
from tests.helpers.ports import closed_port
from tests.unit.providers.conftest import DAY, Clock

pytest.importorskip("redis")


def counter(amount: int = 3, seconds: int = DAY) -> Counter:
    return Counter(key=f"test/{uuid.uuid4()}", limit=Limit(amount=amount, seconds=seconds))


@given(
    amount=st.integers(1, 2000),
    seconds=st.sampled_from([1, 60, 3600]),
    steps=st.lists(st.tuples(st.floats(0, 1.5), st.floats(0.001, 1)), min_size=1, max_size=30),
)
async def test_there_is_room_when_the_wait_is_over_and_not_before(
    clock: Clock, amount: int, seconds: int, steps: list[tuple[float, float]]
) -> None:
    counters, one = Counters(), counter(amount, seconds)
    for pause, share in steps:
        clock.now += pause * seconds
        cost = max(int(share * amount), 1)
        if wait := await counters.take(one, cost):
            assert wait <= 2 * seconds + 0.001
            clock.now += wait * 0.99 - 0.001
            assert wait < 0.01 or await counters.take(one, cost)
            clock.now += wait * 0.01 + 0.002
            assert not await counters.take(one, cost)


async def test_a_fleet_counts_together(fleet: tuple[Counters, Counters]) -> None:
    here, there = fleet
    one = counter(amount=3)
    assert [await worker.take(one, 1) for worker in (here, there, here)] == [0, 0, 0]
    waits = [await here.take(one, 1), await there.take(one, 1)]
    assert all(DAY - 300 < wait <= DAY + 1 for wait in waits)

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
    await here.add(one, -3, time.time() - DAY - 1)
    assert await here.take(one, 1) > 0


async def test_a_refused_call_gives_back_what_it_took_from_a_limit_that_nobody_had_used(
    fleet: tuple[Counters, Counters],
) -> None:
    """Redis counts a stretch of time from the first call on, which is the one that is refused."""
    once = Limits(requests=(Limit(amount=1, seconds=DAY),))
    model, tenant, response = str(uuid.uuid4()), str(uuid.uuid4()), ModelResponse(text="yes", model="a")
    models = ModelCatalogue(
        providers={"local": ProviderEntry(api="chat")},
        aliases={},
        limits={f"local:{model}": once},
        tenants={tenant: once},
    )
    here, there = (Limited(ScriptedProvider(lambda _: response), "local", models, counters) for counters in fleet)
    await here.complete(ModelRequest(model="another", messages=(), tenant=tenant), NoDeltas())
    refused = ModelRequest(model=model, messages=(), tenant=tenant)
    with pytest.raises(LimitReached, match="for tenant"):
        await there.complete(refused, NoDeltas())
    await here.complete(ModelRequest(model=model, messages=()), NoDeltas())
    with pytest.raises(LimitReached, match=f"limits.local:{model}"):
        await there.complete(ModelRequest(model=model, messages=()), NoDeltas())


@pytest.mark.usefixtures("clock")
async def test_while_redis_is_away_each_worker_counts_alone_and_says_so_once(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "llmflow.limits")
    one = counter(amount=2)
    async with Gate(redis_url.partition("://")[2].partition("/")[0]) as gate:
        url = f"redis://{gate.address}/0"
        here, there = (Counters(url, timeout=60, pause=0) for _ in range(2))  # which ask it each time
        assert [await worker.take(one, 1) for worker in (here, there)] == [0, 0]
        assert await here.take(one, 1) > 0
        assert caplog.records == []

        await gate.close()
        assert [await worker.take(one, 1) for worker in (here, here, there)] == [0, 0, 0]
        assert await here.take(one, 1) > 0
        assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]

        gate.open()
        assert await here.take(one, 1) > 0
        assert "Redis answers again" in caplog.records[-1].message
        await here.close()
        await there.close()


@pytest.mark.usefixtures("clock")
async def test_a_redis_that_takes_the_question_and_does_not_answer_is_away(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Gate(redis_url.partition("://")[2].partition("/")[0]) as gate:
        gate.shut()
        counters, one = Counters(f"redis://{gate.address}/0", timeout=0.1), counter(amount=2)
        assert [await counters.take(one, 1) for _ in range(2)] == [0, 0]
        assert await counters.take(one, 1) > 0
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        await counters.close()


@pytest.mark.usefixtures("clock")
async def test_a_redis_that_was_never_there_is_left_alone_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    with closed_port() as port:
        counters, one = Counters(f"redis://127.0.0.1:{port}"), counter(amount=2)
        assert [await counters.take(one, 1) for _ in range(2)] == [0, 0]
        assert await counters.take(one, 1) > 0
    assert len(caplog.records) == 1
    assert "each worker counts its limits alone" in caplog.records[0].message
    await counters.close()


def test_what_redis_needs_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigInvalid, match=r"LLMFLOW_REDIS is not the URL of a Redis"):
        Counters("localhost:6379")
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigInvalid, match=r"pip install 'llmflow\[redis\]'"):
        Counters("redis://localhost:6379")


def test_nothing_is_loaded_that_is_not_used() -> None:
    found = (
        "import llmflow.providers.wrappers, sys; print([name for name in ('limits', 'redis') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", found], capture_output=True, text=True).stdout == "[]\n"
