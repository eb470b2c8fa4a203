"""An App that fans out: items are numbers, and what becomes of each is in the plan of the run."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy

from llmflow import flow
from llmflow.app import App
from llmflow.errors import FanOutFailed, ToolRefused
from llmflow.flow.run import current
from llmflow.tools import tool
from tests.integration.fanned_thread import hold_once


class Gate:
    """Holds calls while it is shut. For this process, and outside of the sandbox."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.inside = 0

    async def pass_through(self) -> None:
        self.inside += 1
        try:
            await self.open.wait()
        finally:
            self.inside -= 1


gate = Gate()


class Plan(BaseModel):
    """Instructions for a run."""

    items: int = 10
    way: str = "method"
    limit: int = 4
    collect: bool = False
    min_success: int | float | None = None
    bad: tuple[int, ...] = ()
    """Items that fail."""
    held: tuple[int, ...] = ()
    """Items that the gate holds."""
    busy: tuple[int, ...] | None = None
    """Items that make calls: all unless given. The others cost next to nothing, so that there may be many of them."""
    others: int = 0
    """Further in-flight calls: the run takes their places without them, as 1,500 calls need 15 seconds."""
    size: int = 0
    """Size of the note that each item returns."""


class Found(BaseModel):
    """Result of an item."""

    number: int
    note: str = ""


class Report(BaseModel):
    values: list[int] = []
    failures: list[str] = []
    error: str = ""
    told: tuple[str, ...] = ()


@tool(retry_policy=RetryPolicy(maximum_attempts=1), start_to_close_timeout=timedelta(minutes=2))
async def look(number: int, bad: bool = False, held: bool = False, size: int = 0) -> Found:
    """Look at a number."""
    if held:
        await gate.pass_through()
    if bad:
        raise ToolRefused(f"{number} is bad")
    return Found(number=number * 10, note="x" * size)


@tool
async def glance() -> Found:
    """Look at nothing."""
    return Found(number=100)


async def look_on(number: int) -> Found:
    """Process an item with a function of the module instead of the workflow: every tenth one makes a call."""
    if number % 10:
        return Found(number=number * 10)
    return await flow.call_tool(look, number=number)


@workflow.defn
class Fan:
    """Fans out as its plan says, and tells what became of the items."""

    @workflow.init
    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @workflow.run
    async def run(self, plan: Plan) -> Report:
        ways: dict[str, Callable[[int], Awaitable[Found]]] = {
            "method": self.look_at,
            "module": look_on,
            "tool": look,
            "direct": lambda number: look(number),
            "lambda": lambda number: self.look_at(number),
            "bug": self.stumble,
            "model": self.ask,
            "nested": self.look_around,
            "early": self.give_up,
            "group": self.look_twice,
            "late": self.look_at,
            "saga": self.book,
        }
        if plan.way == "late":
            hold_once()
        for _ in range(plan.others):
            await current().admission.places.acquire()
        try:
            found: flow.FanOut[Found] = await flow.fan_out(
                range(plan.items),
                ways[plan.way],
                limit=plan.limit,
                on_error="collect" if plan.collect else "raise",
                min_success=plan.min_success,
            )
        except FanOutFailed as error:
            return Report(error=error.message, told=error.detail.failures)
        return Report(
            values=[one.number for one in found.values],
            failures=[f"{one.index}: {type(one.error).__name__}: {one.error}" for one in found.failures],
        )

    def is_busy(self, number: int) -> bool:
        return self.plan.busy is None or number in self.plan.busy

    async def look_at(self, number: int) -> Found:
        if not self.is_busy(number):
            return Found(number=number * 10)
        bad, held = number in self.plan.bad, number in self.plan.held
        return await flow.call_tool(look, number=number, bad=bad, held=held, size=self.plan.size)

    async def stumble(self, number: int) -> Found:
        if number in self.plan.bad:
            raise ValueError(f"{number} is odd")
        return await self.look_at(number)

    async def ask(self, number: int) -> Found:
        if not self.is_busy(number):
            return Found(number=7)
        return (await flow.complete("fanned/ask", {"number": number}, output=Found)).output

    async def book(self, number: int) -> Found:
        if number not in self.plan.bad:
            return Found(number=number)
        async with flow.Saga() as saga:
            await saga.do(glance, undo=self.cancel)
            raise ValueError(f"{number} is odd")

    async def cancel(self) -> None:
        await flow.call_tool(look, number=0, bad=True)

    async def look_around(self, number: int) -> Found:
        async with flow.step("around"):
            found = await flow.fan_out([number, number + 1], self.look_at)
        return Found(number=sum(one.number for one in found.values))

    async def look_twice(self, number: int) -> Found:
        async with asyncio.TaskGroup() as group:  # noqa: TID251  what a user may write
            looks = [group.create_task(self.look_at(number)) for _ in range(2)]
        return looks[0].result()

    async def give_up(self, number: int) -> Found:
        if number in self.plan.bad:
            workflow.continue_as_new(Plan(items=0))
        return await self.look_at(number)


@workflow.defn
class Sum:
    """Adds up in a tree."""

    @workflow.run
    async def run(self, plan: Plan) -> int:
        on_error = "collect" if plan.collect else "raise"
        self.bad = plan.bad
        items = range(plan.items)
        return await flow.map_reduce(items, self.one, self.add, limit=plan.limit, on_error=on_error, fan_in=3)

    async def one(self, number: int) -> int:
        return (await flow.call_tool(look, number=number, bad=number in self.bad)).number

    async def add(self, numbers: list[int]) -> int:
        assert 2 <= len(numbers) <= 3
        return sum(numbers)


@workflow.defn
class Race:
    """The first of its branches, as its plan says."""

    @workflow.run
    async def run(self, plan: Plan) -> str:
        async def ask(number: int) -> Found:
            if plan.way == "model":
                return (await flow.complete("fanned/ask", {"number": number}, output=Found)).output
            return await flow.call_tool(look, number=number, bad=number in plan.bad, held=number in plan.held)

        try:
            first = {"tool": glance, "partial": partial(look, 10)}.get(plan.way, lambda: ask(0))
            found = await flow.race(first, lambda: ask(1), lambda: ask(2), good=lambda one: one.number >= plan.limit)
        except FanOutFailed as error:
            return f"{error.message} | {'; '.join(error.detail.failures)}"
        return f"{found.number} {found.note}".strip()


app = App(
    name="fanned",
    workflows=[Fan, Race, Sum],
    tools=[look, glance],
    prompts=Path(__file__).parent / "fanned_prompts",
    passthrough=[hold_once.__module__],
)
