"""Workflows whose methods are called for more items than one run works on, without any activity."""

import asyncio
from collections.abc import Sequence
from functools import partial

from temporalio import workflow
from temporalio.common import RawValue, VersioningBehavior

from llmflow import flow
from llmflow.app import App

MANY = 501


class Box:
    """A value that is equal to itself alone."""

    def __init__(self) -> None:
        self.values: list[int] = []


@workflow.defn
class Scale:
    """Multiplies by a factor that is set in `run`."""

    def __init__(self) -> None:
        self.box = Box()
        self.seen = 0

    @workflow.run
    async def run(self, change: str, items: int = MANY) -> int:
        if change == "set":
            self.factor = 3
        if change in ("set", "grown"):
            self.box.values.append(1)
        if change == "counted":
            self.seen += 1
        ways = {
            "lambda": lambda number: self.scale(number),
            "function": double,
            "partial": partial(self.scale),
            "collects": self.collect,
        }
        few = 2 if change == "collects" else items
        found = await flow.fan_out(range(items), ways.get(change, self.scale), limit=few, on_error="collect")
        return sum(found.values) + sum(self.box.values) * (change == "collects")

    async def scale(self, number: int) -> int:
        return number * getattr(self, "factor", 2)

    async def collect(self, number: int) -> int:
        self.box.values.append(number)
        return number


async def double(number: int) -> int:
    """Double it."""
    return number * 2


@workflow.defn
class Same:
    """Has attributes of every kind, none of which differs from what `__init__` sets; and handlers that it sets."""

    @workflow.init
    def __init__(self, factor: int) -> None:
        self.factors = [factor]
        self.box, self.lock, self.opened = Box(), asyncio.Lock(), asyncio.Event()
        self.ways = {"scale": self.scale, "add": lambda number: number + factor}
        self.myself = self
        self.told = 0
        workflow.set_signal_handler("tell", self.tell)

    @workflow.run
    async def run(self, factor: int) -> int:
        async with self.lock:
            pass
        found = await flow.fan_out(range(MANY), self.scale, limit=MANY)
        await workflow.wait_condition(lambda: self.told == 1)
        return sum(found.values)

    async def scale(self, number: int) -> int:
        return number * self.factors[0]

    def tell(self) -> None:
        self.told += 1


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Pinned:
    """Says itself how it behaves when there is a new version."""

    @workflow.run
    async def run(self) -> int:
        return sum((await flow.fan_out(range(MANY), self.same, limit=MANY)).values)

    async def same(self, number: int) -> int:
        return number


@workflow.defn
class Large:
    """Has a large input, and its beginning is the first of many items."""

    @workflow.init
    def __init__(self, text: str, first: int, way: str) -> None:
        self.length = len(text)

    @workflow.run
    async def run(self, text: str, first: int, way: str) -> int:
        function = self.measure if way == "method" else measure
        return sum((await flow.fan_out([text[:first], *[""] * (MANY - 1)], function, limit=MANY)).values)

    async def measure(self, note: str) -> int:
        return self.length + len(note)


async def measure(note: str) -> int:
    """Measure a note alone."""
    return len(note)


@workflow.defn(dynamic=True)
class Anything:
    """Runs every other type."""

    @workflow.init
    def __init__(self, input: Sequence[RawValue]) -> None:
        self.factor = workflow.payload_converter().from_payload(input[0].payload, int)

    @workflow.run
    async def run(self, input: Sequence[RawValue]) -> int:
        return sum((await flow.fan_out(range(MANY), self.scale, limit=MANY)).values)

    async def scale(self, number: int) -> int:
        return number * self.factor


app = App(name="batched", workflows=[Scale, Same, Large, Pinned, Anything])
