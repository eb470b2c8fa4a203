"""Context variables of workflow code. Runs do not share them, and parallel branches do not see each other's values."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from llmflow.types.batches import Batch
from llmflow.types.keys import SharedKey

V = TypeVar("V")
AnyTask = asyncio.Task[Any]  # Any: a branch of the user's code, with any result

path: ContextVar[tuple[str, ...]] = ContextVar("llmflow_path", default=())
"""Names of the open steps around the calling code."""
label: ContextVar[str | None] = ContextVar("llmflow_label", default=None)
"""Label of the fan-out's item around the calling code."""
key: ContextVar[SharedKey | None] = ContextVar("llmflow_key", default=None)
"""Idempotency key of the saga's action or compensation around the calling code."""
effect: ContextVar[bool] = ContextVar("llmflow_effect", default=False)
"""True around the call of a tool that is an effect."""
kept: ContextVar[bool] = ContextVar("llmflow_kept", default=False)
"""True around the call of an agent's tool, whose result the store keeps."""
undoing: ContextVar[bool] = ContextVar("llmflow_undoing", default=False)
"""True in the tasks of compensations: their saga waits for what no worker has, and undoes the rest meanwhile."""
elsewhere: ContextVar[bool] = ContextVar("llmflow_elsewhere", default=False)
"""True for a call that is made again because this worker may lack what it needs: it must not get it directly."""
batch: ContextVar[Batch | None] = ContextVar("llmflow_batch", default=None)
"""Batch for the child that the calling task starts."""


@contextmanager
def held(variable: ContextVar[V], value: V) -> Generator[None]:
    """Give a context variable a value in this context."""
    token = variable.set(value)
    try:
        yield
    finally:
        with suppress(ValueError):  # an evicted run's coroutine, or another task's generator, is closed elsewhere
            variable.reset(token)


def this_task() -> AnyTask:
    """Return the calling task."""
    return cast(AnyTask, asyncio.current_task())  # workflow code always runs in one
