"""Tools of the tests."""

import threading
from datetime import timedelta

from pydantic import BaseModel
from temporalio.common import RetryPolicy

from llmflow.errors import ToolRefused
from llmflow.tools import tool


class Place(BaseModel):
    city: str
    lines: tuple[int, ...] = ()


@tool
async def locate(place: Place, depth: int = 1) -> Place:
    """Find a place, and number its lines."""
    return Place(city=place.city.upper(), lines=tuple(range(depth)))


@tool
def thread_name() -> str:
    """Name the thread that it runs in."""
    return threading.current_thread().name


@tool
async def refuse(reason: str) -> None:
    """Say no."""
    raise ToolRefused(f"not today: {reason}")


@tool(retry_policy=RetryPolicy(maximum_attempts=2), start_to_close_timeout=timedelta(seconds=5))
async def stumble() -> None:
    """Fail in a way of its own."""
    raise LookupError("nothing there")


@tool
async def rant() -> None:
    """Fail at length."""
    raise LookupError("nothing there, " * 400)


class NotFoundError(Exception):
    """An error of the tool's own, with the name of one of Temporal's."""


class Closed(ToolRefused):
    """A user's own kind of refusal."""


@tool(retry_policy=RetryPolicy(maximum_attempts=1))
async def missing_within() -> None:
    """Miss something."""
    raise NotFoundError("no such page")


@tool
async def own_error() -> None:
    """Refuse in a way of its own."""
    raise Closed("closed today")


@tool(retry_policy=RetryPolicy(maximum_attempts=1))
async def unserved() -> None:
    """Is in no App."""


@tool
async def repeat(size: int) -> str:
    """Give a long text."""
    return "x" * size
