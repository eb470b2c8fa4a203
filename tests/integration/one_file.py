"""An App in one file, as everybody begins: the sandbox runs all of it again for every run, tools and types included."""

import random
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

from pydantic import BaseModel
from temporalio import workflow

from llmflow import flow
from llmflow.app import App
from llmflow.errors import ToolRefused
from llmflow.tools import tool

booked: set[str] = set()
"""State of the module on the worker. The sandbox has its own copies."""


class Class(StrEnum):
    """Class of a seat."""

    FIRST = "first"
    SECOND = "second"


class Ticket(BaseModel):
    """With types of the standard library that the sandbox puts proxies around."""

    place: str
    seat: Class = Class.SECOND
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    day: date | None = None
    id: uuid.UUID = uuid.UUID(int=7)
    file: Path | None = None
    lasts: timedelta = timedelta(hours=2)


class Travelled(BaseModel):
    """The result of a run."""

    ticket: Ticket
    tickets: list[Ticket]
    wish: Ticket
    """Answer of the model."""
    undone: str
    wiped: str


@tool
async def look_up(place: str, seat: Class = Class.FIRST, day: date = date(2026, 2, 3)) -> Ticket:
    """Look for a ticket."""
    return Ticket(place=place, seat=seat, day=day, file=Path("ticket.pdf"))


@tool
def book(ticket: Ticket) -> Ticket:
    """Book it."""
    booked.add(ticket.place)
    return ticket


@tool
async def cancel(ticket: Ticket) -> None:
    """Give it back."""
    booked.discard(ticket.place)


@tool
async def refuse(ticket: Ticket) -> None:
    """Say no."""
    raise ToolRefused(f"not {ticket.place}")


@tool(approval=True)
async def wipe(places: list[str]) -> str:
    """Forget everything."""
    return f"forgot {', '.join(places)}"


@workflow.defn
class Travel:
    """Uses tools and types in every way there is."""

    @workflow.run
    async def run(self, places: list[str]) -> Travelled:
        ticket = await flow.call_tool(look_up, places[0], day=date(2026, 4, 5))
        found = await flow.fan_out(places, look_up)
        first = await flow.race(partial(look_up, places[0]))
        wish = await flow.complete("one/wish", {"place": places[0]}, output=Ticket, tools=[look_up])
        undone = await self.try_to_book(first)
        wiped = await flow.call_tool(wipe, places)
        assert all(isinstance(one, Ticket) for one in (ticket, *found.values, first, wish.output))
        return Travelled(ticket=ticket, tickets=found.values, wish=wish.output, undone=undone, wiped=wiped)

    async def try_to_book(self, ticket: Ticket) -> str:
        try:
            async with flow.Saga() as saga:
                await saga.do(book, ticket, undo=cancel)
                await flow.call_tool(refuse, ticket)
        except ToolRefused as error:
            return error.message
        return ""


ASKED: dict[str, Callable[[], object]] = {
    "random.random": lambda: random.random(),
    "time.time": lambda: time.time(),
    "time.sleep": lambda: time.sleep(0),
    "uuid.uuid4": lambda: uuid.uuid4(),
    "datetime.datetime.now": lambda: datetime.now(UTC),
    "datetime.date.today": lambda: date.today(),  # noqa: DTZ011 - to be refused
}
"""Reads that the sandbox must refuse."""


@workflow.defn
class Chance:
    """Asks what answers otherwise when it is asked again."""

    @workflow.run
    async def run(self, name: str) -> str:
        return str(ASKED[name]())


app = App(
    name="one",
    workflows=[Chance, Travel],
    tools=[book, cancel, look_up, refuse, wipe],
    prompts=Path(__file__).parent / "one_file_prompts",
)
