"""The failure of a workflow task, past all code of the run."""

import asyncio
import inspect
from types import TracebackType
from typing import Any, NoReturn, cast

from temporalio import workflow


async def fail_task(error: Exception) -> NoReturn:
    """Fail the workflow task, so that the run waits for other code.

    An exception would reach the user's `except Exception`, become the outcome of an item, or make a saga compensate.
    This one reaches nobody: Temporal evicts the run before anything in it goes on.

    Args:
        error: Not a failure type of the workflow; with one, the run fails. It gets the trace of the caller.
    """
    instance = cast(Any, workflow)._Runtime.current()  # Any: the SDK's workflow instance
    instance._current_activation_error = error.with_traceback(_stack())
    await asyncio.get_running_loop().create_future()
    raise error


def _stack() -> TracebackType | None:
    """Return the calls of the current task as a trace, from which `status` reads the place in the user's code."""
    frame, found = inspect.currentframe(), None
    frame = frame and frame.f_back
    while frame and frame.f_code is not asyncio.Handle._run.__code__:
        found = TracebackType(found, frame, frame.f_lasti, frame.f_lineno)
        frame = frame.f_back
    return found
