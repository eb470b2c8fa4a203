"""Activities of tools."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from pydantic import JsonValue
from temporalio import activity

from llmflow.activities.heartbeat import heartbeats
from llmflow.activities.keys import in_saga
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
        with heartbeats():
            return await work

    return call


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
