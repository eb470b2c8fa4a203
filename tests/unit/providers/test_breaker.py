"""The circuit breaker: what opens it, what passes while it is open, and what closes it."""

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable
from contextlib import suppress

import circuitbreaker  # pyright: ignore[reportMissingTypeStubs]  it has none
import pytest

from llmflow.errors import (
    AuthenticationFailed,
    CircuitOpen,
    LimitReached,
    LLMFlowError,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from llmflow.providers.breaker import Breaker
from llmflow.testing import ScriptedProvider
from llmflow.types.messages import Message
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink, NoDeltas

DOWN = ProviderUnavailable("local:a answered 503")
Outcome = str | LLMFlowError


class Vendor:
    """Answers as the test says at the moment, and can keep a call waiting."""

    def __init__(self) -> None:
        self.now: Outcome = DOWN
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        self.asked += 1
        await self.gate.wait()
        return await ScriptedProvider([self.now]).complete(request, NoDeltas())

    async def close(self) -> None: ...


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


class Clock:
    """A clock that moves when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(circuitbreaker, "monotonic", clock)
    return clock


@pytest.fixture
def breaker(vendor: Vendor, clock: Clock) -> Breaker:
    return Breaker(vendor, "local", failures=3, pause=30, clock=clock)


@pytest.fixture
def later(clock: Clock) -> Callable[[float], None]:
    """Let so many seconds pass for the breaker."""

    def pass_by(seconds: float) -> None:
        clock.now += seconds

    return pass_by


async def ask(breaker: Breaker, model: str = "a", timeout: float = 600) -> str:
    """The answer, or the name of the error."""
    request = ModelRequest(model=model, messages=(Message.user("Why?"),), timeout=timeout)
    try:
        return (await breaker.complete(request, NoDeltas())).text
    except LLMFlowError as error:
        return type(error).__name__


async def broken(breaker: Breaker) -> None:
    assert [await ask(breaker) for _ in range(3)] == ["ProviderUnavailable"] * 3


async def test_after_failures_in_a_row_nothing_is_asked(
    vendor: Vendor, breaker: Breaker, caplog: pytest.LogCaptureFixture
) -> None:
    await broken(breaker)
    with pytest.raises(CircuitOpen) as caught:
        await breaker.complete(ModelRequest(model="a", messages=()), NoDeltas())
    assert vendor.asked == 3
    assert caught.value.message.startswith(
        "local:a was not asked: it failed 3 times in a row, its circuit is open for 3"
    )
    assert caught.value.message.endswith("Its last failure: local:a answered 503")
    assert caught.value.detail.model == "local:a"
    assert caught.value.detail.retry_after is not None
    assert 30 <= caught.value.detail.retry_after <= 36
    assert [record.getMessage() for record in caplog.records] == [
        "local:a: circuit open for 30 s: local:a answered 503"
    ]
    assert caplog.records[0].levelno == logging.WARNING


async def test_each_model_has_a_circuit_of_its_own(vendor: Vendor, breaker: Breaker) -> None:
    await broken(breaker)
    vendor.now = "yes"
    assert [await ask(breaker, "a"), await ask(breaker, "b")] == ["CircuitOpen", "yes"]


@pytest.mark.parametrize("sign", ["yes", RateLimited("429"), AuthenticationFailed("401"), RequestRejected("422")])
async def test_whatever_a_vendor_answers_is_a_sign_of_life(vendor: Vendor, breaker: Breaker, sign: Outcome) -> None:
    for outcome in (DOWN, DOWN, sign, DOWN, DOWN, sign):
        vendor.now = outcome
        await ask(breaker)
    assert vendor.asked == 6


@pytest.mark.parametrize("refusal", [LimitReached("ours"), CircuitOpen("ours")])
async def test_a_refusal_of_our_own_says_nothing_about_a_vendor(
    vendor: Vendor, breaker: Breaker, refusal: Outcome
) -> None:
    for outcome in (DOWN, DOWN, refusal, DOWN):
        vendor.now = outcome
        await ask(breaker)
    assert await ask(breaker) == "CircuitOpen"
    assert vendor.asked == 4


async def test_after_the_pause_one_call_tries_and_the_others_wait_for_what_becomes_of_it(
    vendor: Vendor, breaker: Breaker, later: Callable[[float], None]
) -> None:
    await broken(breaker)
    later(29)
    assert await ask(breaker) == "CircuitOpen"
    later(2)
    vendor.now = "yes"
    vendor.gate.clear()
    probe = asyncio.create_task(ask(breaker))
    await asyncio.sleep(0)
    assert [await ask(breaker) for _ in range(3)] == ["CircuitOpen"] * 3
    vendor.gate.set()
    assert await probe == "yes"
    assert vendor.asked == 4
    assert [await ask(breaker) for _ in range(2)] == ["yes", "yes"]


async def test_a_try_that_fails_is_another_pause(
    vendor: Vendor, breaker: Breaker, later: Callable[[float], None]
) -> None:
    await broken(breaker)
    for _ in range(2):
        later(31)
        assert [await ask(breaker) for _ in range(2)] == ["ProviderUnavailable", "CircuitOpen"]
    assert vendor.asked == 5


async def test_a_try_that_was_cancelled_or_refused_leaves_the_next_call_to_try(
    vendor: Vendor, breaker: Breaker, later: Callable[[float], None]
) -> None:
    await broken(breaker)
    later(31)
    vendor.gate.clear()
    probe = asyncio.create_task(ask(breaker))
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    vendor.gate.set()
    vendor.now = LimitReached("ours")
    assert await ask(breaker) == "LimitReached"
    vendor.now = "yes"
    assert [await ask(breaker) for _ in range(2)] == ["yes", "yes"]


async def test_a_try_that_takes_long_lets_another_one_try_after_as_long_a_pause(
    vendor: Vendor, breaker: Breaker, later: Callable[[float], None]
) -> None:
    await broken(breaker)
    later(31)
    vendor.gate.clear()
    slow = asyncio.create_task(ask(breaker))
    await asyncio.sleep(0)
    later(29)
    with pytest.raises(CircuitOpen) as caught:
        await breaker.complete(ModelRequest(model="a", messages=()), NoDeltas())
    assert 1 <= (caught.value.detail.retry_after or 0) <= 1.2
    later(2)
    second = asyncio.create_task(ask(breaker))
    await asyncio.sleep(0)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    assert await ask(breaker) == "CircuitOpen", "the second one still tries"
    vendor.now = "yes"
    vendor.gate.set()
    assert [await second, await ask(breaker)] == ["yes", "yes"]


@pytest.mark.parametrize(("timeout", "opens"), [(59, False), (60, True)])
async def test_a_caller_without_patience_breaks_a_model_for_nobody(
    vendor: Vendor, breaker: Breaker, later: Callable[[float], None], timeout: float, opens: bool
) -> None:
    for _ in range(3):
        vendor.gate.clear()
        call = asyncio.create_task(ask(breaker, timeout=timeout))
        await asyncio.sleep(0)
        later(timeout)
        vendor.gate.set()
        assert await call == "ProviderUnavailable"
    vendor.now = "yes"
    assert await ask(breaker) == ("CircuitOpen" if opens else "yes")


async def test_an_outage_counts_however_little_time_the_call_had(vendor: Vendor, breaker: Breaker) -> None:
    for _ in range(3):
        await ask(breaker, timeout=5)
    assert await ask(breaker) == "CircuitOpen"


async def test_a_failure_of_a_call_that_began_before_the_pause_does_not_prolong_it(
    vendor: Vendor, breaker: Breaker, later: Callable[[float], None]
) -> None:
    vendor.gate.clear()
    old = asyncio.create_task(ask(breaker))
    await asyncio.sleep(0)
    gate, vendor.gate = vendor.gate, asyncio.Event()
    vendor.gate.set()
    await broken(breaker)
    later(20)
    gate.set()
    assert await old == "ProviderUnavailable"
    vendor.now = "yes"
    later(11)
    assert await ask(breaker) == "yes"


async def test_a_circuit_does_not_keep_what_was_asked(vendor: Vendor, breaker: Breaker) -> None:
    vendor.now = ProviderUnavailable("local:a answered 503")
    request = ModelRequest(model="a", messages=())
    asked = weakref.ref(request)
    with suppress(ProviderUnavailable):
        await breaker.complete(request, NoDeltas())
    vendor.now = "yes"  # the error has gone
    del request
    gc.collect()
    assert asked() is None
