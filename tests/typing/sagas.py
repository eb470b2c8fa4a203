# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""Types that a type checker must infer of sagas, and errors that it must report.

This file is checked, not run. A line that must be an error carries `# pyright: ignore[rule]  # expected: why`; when
pyright stops complaining there, the then unnecessary comment is the error.
"""

from typing import assert_type

from pydantic import BaseModel

from llmflow import flow
from llmflow.tools import tool


class Trip(BaseModel):
    city: str


class Ticket(BaseModel):
    number: int


@tool
async def book(trip: Trip) -> Ticket:
    """Book."""
    return Ticket(number=len(trip.city))


@tool
def cancel(booked: Trip) -> bool:
    """Cancel; sync, and with another name for what it takes."""
    return bool(booked)


@tool
async def seat(trip: Trip, number: int = 1) -> str:
    """Book a seat."""
    return f"{trip.city} {number}"


@tool
async def unseat(trip: Trip, number: int = 1) -> None:
    """Give it back."""


async def write(text: str, times: int) -> list[str]:
    return [text] * times


async def erase(text: str, times: int) -> None: ...


async def calls() -> None:
    trip = Trip(city="oslo")
    async with flow.Saga() as saga:
        assert_type(saga, flow.Saga)
        assert_type(await saga.do(book, trip, undo=cancel), Ticket)
        assert_type(await saga.do(write, "a", 2, undo=erase), list[str])
        assert_type(await saga.do(seat, trip, 2, undo=unseat), str)
        assert_type(await saga.do(seat, trip, undo=unseat), str)
        assert_type(await saga.do(book, trip, undo=unseat), Ticket)
    async with flow.Saga(parallel=True):
        await flow.checkpoint(trip)


async def mistakes() -> None:
    trip = Trip(city="oslo")
    async with flow.Saga() as saga:
        await saga.do(book, trip)  # pyright: ignore[reportCallIssue]  # expected: no undo
        await saga.do(book, undo=cancel)  # pyright: ignore[reportArgumentType]  # expected: no trip
        await saga.do(book, "oslo", undo=cancel)  # pyright: ignore[reportArgumentType]  # expected: not a trip
        await saga.do(write, "a", 2, undo=cancel)  # pyright: ignore[reportArgumentType]  # expected: takes a trip
        await saga.do(print, "a", undo=print)  # pyright: ignore[reportArgumentType]  # expected: not async
        await saga.do(book, trip=trip, undo=cancel)  # pyright: ignore[reportCallIssue]  # expected: by position
    flow.Saga(True)  # pyright: ignore[reportCallIssue]  # expected: by name only
    await flow.checkpoint()  # pyright: ignore[reportCallIssue]  # expected: the state is missing
