"""An App of sagas. Its tools note what they do, and for which key, by the id of their run."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from llmflow import flow
from llmflow.app import App
from llmflow.errors import ApprovalRejected, ToolRefused
from llmflow.tools import idempotency_key, tool

EFFECTS: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
"""Workflow id -> tool, argument and key of each call, in their order."""


def note(tool: str, what: str) -> int:
    """Note a call; how often it was noted before."""
    noted, call = EFFECTS[activity.info().workflow_id or ""], (tool, what, idempotency_key())
    noted.append(call)
    return noted.count(call) - 1


@tool(retry_policy=RetryPolicy(maximum_attempts=2))
async def book(what: str) -> str:
    """Book something."""
    before = note("book", what)
    if what in ("full", "no"):
        raise ToolRefused(f"{what}: nothing free")
    if what == "shaky" and not before:
        raise LookupError("the line broke")
    if what == "slow":
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            note("cut", what)
            raise
    if what == "long":
        return what * 1_000_000
    return f"ticket for {what}"


@tool(retry_policy=RetryPolicy(maximum_attempts=1))
def cancel(booked: str) -> None:
    """Cancel a booking; in a thread."""
    before = note("cancel", booked)
    if booked == "flaky" and not before:
        raise LookupError("the line broke")
    if booked == "stuck":
        raise LookupError("nobody answers")
    if booked == "late":
        raise ToolRefused("too late")


@tool(retry_policy=RetryPolicy(maximum_attempts=1))
def hold(what: str) -> None:
    """Hold something; in a thread, which goes on for a while when it is told to stop."""
    note("hold", what)
    activity.wait_for_cancelled_sync()
    threading.Event().wait(0.5)
    note("held", what)


async def reserve(what: str) -> str:
    """Two effects of one action."""
    first = await flow.call_tool(book, what)
    async with flow.step("extra"):
        return first + await flow.call_tool(book, what) + await flow.call_tool(book, what)


async def release(what: str) -> None:
    """Undo of `reserve`."""
    await flow.call_tool(cancel, what)
    async with flow.step("extra"):
        await flow.call_tool(cancel, what)
        await flow.call_tool(cancel, what)


@workflow.defn
class Trip:
    """Books one after the other."""

    @workflow.run
    async def run(self, bookings: list[str]) -> list[str]:
        async with flow.step("trip"), flow.Saga() as saga:
            return [await saga.do(book, what, undo=cancel) for what in bookings]


@workflow.defn
class Parties:
    """Books for several parties, and collects their failures."""

    @workflow.run
    async def run(self, parties: list[list[str]]) -> int:
        return len((await flow.fan_out(parties, self.trip, on_error="collect")).failures)

    async def trip(self, bookings: list[str]) -> None:
        async with flow.Saga() as saga:
            for what in bookings:
                await saga.do(book, what, undo=cancel)


@workflow.defn
class AtOnce:
    """Undoes everything at once."""

    @workflow.run
    async def run(self, bookings: list[str]) -> None:
        async with flow.Saga(parallel=True) as saga:
            for what in bookings:
                await saga.do(book, what, undo=cancel)


@workflow.defn
class Odd:
    """Everything else, each by its name."""

    def __init__(self) -> None:
        self.told = False

    @workflow.signal
    def tell(self) -> None:
        """Let `until_told` end."""
        self.told = True

    @workflow.run
    async def run(self, what: str) -> str:
        cases: dict[str, Callable[[], Awaitable[object]]] = {
            "functions": self.functions,
            "nested": self.nested,
            "caught": self.caught,
            "rejected": self.rejected,
            "branches": self.branches,
            "abandoned": self.abandoned,
            "suspended": self.suspended,
            "inside": self.inside,
            "closed": self.closed,
            "arguments": self.arguments,
            "continued": self.continued,
            "thread": self.thread,
            "failing": self.failing,
            "bug": self.bug,
            "caught bug": self.caught_bug,
        }
        return str(await cases[what]())

    async def functions(self) -> None:
        async with flow.Saga() as saga:
            await saga.do(reserve, "rail", undo=release)
            raise ApprovalRejected("no")

    async def nested(self) -> None:
        async with flow.Saga() as outer:
            await outer.do(book, "hotel", undo=cancel)
            async with flow.Saga() as inner:
                await inner.do(book, "car", undo=cancel)
            async with flow.Saga() as inner:
                await inner.do(book, "rail", undo=cancel)
                await inner.do(book, "full", undo=cancel)

    async def caught(self) -> str:
        async with flow.Saga() as saga:
            try:
                return await saga.do(book, "full", undo=cancel)
            except ToolRefused:
                return await saga.do(book, "hotel", undo=cancel)

    async def rejected(self) -> None:
        async with flow.Saga() as saga:
            await saga.do(book, "hotel", undo=cancel)
            (await flow.approval("pay", "500 USD")).require()

    async def branches(self) -> None:
        """`gather` leaves the others running when one fails."""
        async with flow.Saga() as saga:
            await asyncio.gather(
                saga.do(book, "hotel", undo=cancel),
                saga.do(self.sleep, undo=self.nothing),
                saga.do(book, "full", undo=cancel),
            )

    async def abandoned(self) -> None:
        """The run fails while an orphaned branch is in its saga."""

        async def travel() -> None:
            async with flow.Saga() as saga:
                await saga.do(book, "hotel", undo=cancel)
                await self.sleep()

        async def fail() -> None:
            await workflow.wait_condition(lambda: self.told)
            raise ApprovalRejected("no")

        await asyncio.gather(travel(), fail())

    async def suspended(self) -> str:
        """The run ends while a generator, with which nobody goes on, is in its saga."""

        async def bookings() -> AsyncIterator[str]:
            async with flow.Saga() as saga:
                yield await saga.do(book, "hotel", undo=cancel)

        self.kept = bookings()
        return await anext(self.kept)

    async def sleep(self) -> None:
        await workflow.sleep(timedelta(days=3000))

    async def inside(self) -> None:
        async with flow.Saga() as saga:
            await saga.do(book, "hotel", undo=cancel)
            await flow.checkpoint("inside")

    async def closed(self) -> None:
        async with flow.Saga() as saga:
            pass
        await saga.do(book, "hotel", undo=cancel)

    async def arguments(self) -> None:
        async with flow.Saga() as saga:
            await saga.do(book, "hotel", undo=cancel)
            await saga.do(book, 3, undo=cancel)  # type: ignore[arg-type]  that is it

    async def continued(self) -> None:
        async with flow.Saga() as saga:
            await saga.do(book, "hotel", undo=cancel)
            workflow.continue_as_new("caught")

    async def thread(self) -> None:
        async with flow.Saga() as saga:
            await saga.do(hold, "car", undo=cancel)

    async def failing(self) -> str:
        try:
            async with flow.Saga() as saga:
                await saga.do(self.nothing, undo=self.until_told)
                raise ApprovalRejected("no")
        except ApprovalRejected:
            return "went on"

    async def bug(self) -> None:
        async with flow.Saga() as saga:
            prices = {await saga.do(self.free, undo=self.rest): 100}
            await saga.do(book, f"for {prices['ticket']}", undo=cancel)

    async def caught_bug(self) -> str:
        try:
            await self.bug()
        except KeyError as error:
            return f"went on without {error}"
        return "no bug"

    async def free(self) -> str:
        return "free"

    async def rest(self) -> None:
        await workflow.sleep(timedelta(milliseconds=1))

    async def nothing(self) -> None: ...

    async def until_told(self) -> None:
        await workflow.wait_condition(lambda: self.told)


@workflow.defn
class Nap:
    """A saga that is cancelled between two bookings, and whose compensation waits."""

    def __init__(self) -> None:
        self.naps = self.wakes = False

    @workflow.run
    async def run(self, impatient: bool) -> None:
        trip = asyncio.create_task(self.trip())
        if impatient:
            await workflow.wait_condition(lambda: self.naps)
            trip.cancel()
            await workflow.wait_condition(lambda: self.wakes)
            trip.cancel()
            await asyncio.sleep(0)
            trip.cancel()
        await trip

    async def trip(self) -> None:
        async with flow.Saga() as saga:
            await saga.do(book, "hotel", undo=cancel)
            await saga.do(self.sleep, undo=self.wake)

    async def sleep(self) -> None:
        self.naps = True
        await workflow.sleep(timedelta(days=300))

    async def wake(self) -> None:
        self.wakes = True
        await workflow.sleep(timedelta(seconds=2))
        await flow.call_tool(cancel, "nap")


HELLO = Path(__file__).parent / "hello"

app = App(
    name="trips",
    workflows=[AtOnce, Nap, Odd, Parties, Trip],
    tools=[book, cancel, hold],
    prompts=HELLO / "prompts",
    models=HELLO / "models.yaml",
)
