"""Attributes of two objects of one class: the same, or not."""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import partial
from random import Random
from time import perf_counter
from typing import Any

import pytest
from pydantic import BaseModel

from llmflow.flow.branches.differences import differences


class Colour(Enum):
    RED = 1


class Model(BaseModel):
    text: str = ""


class Plain:
    """Without an equality of its own."""

    def __init__(self, number: int = 1) -> None:
        self.number = number


class Slotted:
    __slots__ = ("number", "other")

    def __init__(self, number: int) -> None:
        self.number = number


@dataclass(eq=False)
class Data:
    inner: object


class Never:
    def __eq__(self, other: object) -> bool:
        raise TypeError("cannot be compared")

    __hash__ = None  # type: ignore[assignment]  as Python itself sets it


class Owner:
    def __init__(self, value: Callable[["Owner"], object]) -> None:
        self.value = value(self)

    def method(self, *_: object) -> None: ...


def locked() -> asyncio.Lock:
    lock = asyncio.Lock()
    lock._locked = True  # type: ignore[attr-defined]  as `acquire` does, for which it needs a loop
    return lock


def drawn() -> Random:
    random = Random(1)
    random.random()
    return random


def function_with(value: object) -> Callable[[], object]:
    return lambda: value


SAME: list[Callable[[Owner], object]] = [
    lambda _: None,
    lambda _: {"a": [1, Decimal("0.1"), Colour.RED, b"x"]},
    lambda _: Model(text="a"),
    lambda _: Plain(),
    lambda _: Data(Plain()),
    lambda _: [Plain(2), {"a": Plain(3)}],
    lambda _: deque([Plain()]),
    lambda _: asyncio.Lock(),
    lambda _: asyncio.Event(),
    lambda _: asyncio.Queue[int](),
    lambda _: asyncio.Semaphore(2),
    lambda _: re.compile("a"),
    lambda _: Random(1),
    lambda _: object(),
    lambda _: Never(),
    lambda owner: owner,
    lambda owner: [owner],
    lambda owner: owner.method,
    lambda owner: lambda: owner,
    lambda owner: partial(owner.method, Plain()),
    lambda _: Plain,
    lambda _: print,
]
OTHERS: list[tuple[object, object]] = [
    (1, 2),
    ("a", None),
    ([1], [1, 2]),
    ({"a": 1}, {"b": 1}),
    (Plain(1), Plain(2)),
    (Plain(1), Data(Plain(1))),
    (Data(Plain(1)), Data(Plain(2))),
    ([Plain(1)], [Plain(2)]),
    (Model(text="a"), Model(text="b")),
    ({Plain(1)}, {Plain(1)}),
    (asyncio.Lock(), locked()),
    (Random(1), drawn()),
    (function_with(1), function_with(2)),
    (partial(print, Plain(1)), partial(print, Plain(2))),
    (Plain(1).__init__, Plain(2).__init__),
    ((one for one in ()), (one for one in ())),
]


@pytest.mark.parametrize("value", SAME)
def test_values_that_are_made_alike_are_the_same(value: Callable[[Owner], object]) -> None:
    assert differences(Owner(value), Owner(value)) == []


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_values_that_are_not(one: object, other: object) -> None:
    assert differences(Owner(lambda _: one), Owner(lambda _: other)) == ["value"]


def test_each_attribute_is_named_once() -> None:
    one, other, changed = Plain(), Plain(), Plain(2)
    one.__dict__.update(a=changed, b=[changed], c=1)
    other.__dict__.update(a=(unchanged := Plain()), b=[unchanged], d=1)
    assert differences(one, other) == ["a", "b", "c", "d"]


def test_attributes_without_a_dictionary() -> None:
    assert differences(Slotted(1), Slotted(1)) == []
    assert differences(Slotted(1), Slotted(2)) == ["number"]


def test_an_object_that_holds_itself() -> None:
    def circle(number: int) -> Any:
        inner: Any = Plain(number)
        inner.inner = inner
        return inner

    assert differences(Owner(lambda _: circle(1)), Owner(lambda _: circle(1))) == []
    assert differences(Owner(lambda _: circle(1)), Owner(lambda _: circle(2))) == ["value"]


class Primitives:
    def __init__(self) -> None:
        self.lock, self.semaphore, self.condition = asyncio.Lock(), asyncio.Semaphore(), asyncio.Condition()
        self.event, self.queue = asyncio.Event(), asyncio.Queue[int]()

    async def wait(self) -> None:
        """Wait once for each of them."""
        waits = [self._hold(one) for one in (self.lock, self.semaphore, self.condition) for _ in range(2)]
        waiting = asyncio.gather(*waits, self.event.wait(), self.queue.get(), self._notified())
        await asyncio.sleep(0.01)
        self.event.set()
        self.queue.put_nowait(1)
        async with self.condition:
            self.condition.notify()
        await waiting
        self.queue.task_done()
        self.event.clear()

    async def _hold(self, one: asyncio.Lock | asyncio.Semaphore | asyncio.Condition) -> None:
        async with one:
            await asyncio.sleep(0)

    async def _notified(self) -> None:
        async with self.condition:
            await self.condition.wait()


async def test_waits_that_are_over_are_no_difference() -> None:
    used = Primitives()
    await used.wait()
    assert differences(used, Primitives()) == []


async def test_waits_that_are_not_over_are_one() -> None:
    used = Primitives()
    await used.wait()
    waiting = asyncio.gather(used.event.wait(), used.queue.get(), used.condition.acquire(), used.lock.acquire())
    await asyncio.sleep(0)
    assert differences(used, Primitives()) == ["condition", "event", "lock", "queue"]
    used.event.set()
    used.queue.put_nowait(1)
    await waiting
    assert differences(used, Primitives()) == ["condition", "event", "lock", "queue"]


def mesh(number: int) -> Any:
    """Twenty objects, each of which holds all."""
    nodes: list[Any] = [Plain() for _ in range(20)]
    for one in nodes:
        one.links = nodes if one is nodes[0] else list(nodes)
    nodes[-1].number = number
    return nodes


def diamonds(number: int) -> Any:
    """Forty levels with two ways from each to the next."""
    top: Any = Plain(number)
    for level in range(40):
        ways = {"left": top, "right": top} if level % 2 else [top, top]
        top = Data(ways) if level % 3 else ways
    return top


def chain(number: int) -> Any:
    """More levels than Python has of calls."""
    top: Any = Plain(number)
    for _ in range(5_000):
        top = Data(top)
    return top


@pytest.mark.parametrize("linked", [mesh, diamonds, chain])
def test_objects_with_many_links_take_no_time(linked: Callable[[int], object]) -> None:
    start = perf_counter()
    assert differences(Owner(lambda _: linked(1)), Owner(lambda _: linked(1))) == []
    assert differences(Owner(lambda _: linked(1)), Owner(lambda _: linked(2))) == ["value"]
    assert perf_counter() - start < 2


def test_temporals_own_attributes_are_no_difference() -> None:
    one, other = Plain(), Plain()
    setattr(one, "__temporal_otel_id_random", Random(1))
    assert differences(one, other) == []
