"""Tasks that have the same order in a set when a run is replayed."""

import asyncio
import zlib
from collections.abc import Coroutine
from contextvars import Context
from itertools import count
from typing import Any

from temporalio import workflow


class _OrderedTask(asyncio.Task[Any]):  # Any: tasks of every type
    """Its place in a set follows from its number, and not from its place in the memory of this process.

    `asyncio.TaskGroup` keeps its tasks in a set, and cancels them in the set's order.
    """

    def __init__(self, place: int, coroutine: Coroutine[Any, Any, Any], **options: Any) -> None:
        self._place = place  # first: a new task goes into a set at once
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        """By number, from another one in each run: asyncio has a set of the tasks of all runs of a worker."""
        return self._place


def order_tasks() -> None:
    """Let the tasks of this workflow be ordered. The method that is called is private to the SDK; a test pins it."""
    loop: Any = asyncio.get_running_loop()  # Any: Temporal's own event loop, which has no public type
    places = count(zlib.crc32(workflow.info().first_execution_run_id.encode()))

    def create_task(
        coroutine: Coroutine[Any, Any, Any], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        task = _OrderedTask(next(places), coroutine, loop=loop, context=context)
        loop._register_task(task, name=name)
        return task

    loop.create_task = create_task
