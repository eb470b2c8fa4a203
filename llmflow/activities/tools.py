"""Activities of tools."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import JsonValue
from temporalio import activity
from temporalio.exceptions import ApplicationError

from llmflow.activities.heartbeat import heartbeats
from llmflow.activities.keys import in_saga
from llmflow.types.calls import UNSERVED
from llmflow.types.tools import ToolSource, ToolSpec

R = TypeVar("R")


def tool_activity(source: ToolSource, spec: ToolSpec) -> Callable[[dict[str, JsonValue]], Awaitable[JsonValue]]:
    """Make the tool's activity, of the same name, from a JSON object of arguments to the result as JSON."""
    is_thread = not inspect.iscoroutinefunction(getattr(source, "__wrapped__", source.call))

    @activity.defn(name=spec.name)
    async def call(arguments: dict[str, JsonValue]) -> JsonValue:
        work = source.call(spec.name, arguments)
        if in_saga.get() and is_thread:
            work = _to_its_end(work)
        with heartbeats(), _own_not_found():
            return await work

    return call


@contextmanager
def _own_not_found() -> Generator[None]:
    """Rename a tool's own `NotFoundError`, as clients of vendors raise one.

    Under that name, Temporal says that the worker does not serve the tool, which is not an attempt.
    """
    try:
        yield
    except Exception as error:  # of any class: it is known by its name
        if type(error).__name__ != UNSERVED:
            raise
        raise ApplicationError(str(error), type=f"{type(error).__module__}.{UNSERVED}") from error


async def _to_its_end(work: Coroutine[Any, Any, R]) -> R:  # Any: as `asyncio.create_task` has it
    """Await work to its end: a thread cannot be stopped, and a saga must not compensate an action that still runs."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        if details and details.cancel_requested:  # not a worker shutdown or a timeout of the attempt
            await asyncio.gather(task, return_exceptions=True)
        raise
