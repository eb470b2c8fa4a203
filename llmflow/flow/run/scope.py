"""What holds for the workflow code that runs: context variables, whose values live in the tasks of one run.

They are not shared between runs, and what one parallel branch sets is not seen by the others.
"""

import asyncio
from contextvars import ContextVar
from typing import Any, cast

from llmflow.types.batches import Batch
from llmflow.types.keys import SharedKey

AnyTask = asyncio.Task[Any]  # Any: a branch of the user's own code, whatever it returns

path: ContextVar[tuple[str, ...]] = ContextVar("llmflow_path", default=())
"""The steps that are open here."""
key: ContextVar[SharedKey | None] = ContextVar("llmflow_key", default=None)
"""The idempotency key that a saga shares with what it does or undoes here."""
batch: ContextVar[Batch | None] = ContextVar("llmflow_batch", default=None)
"""The batch for the child that is started here."""


def this_task() -> AnyTask:
    """The branch that is running."""
    return cast(AnyTask, asyncio.current_task())  # workflow code always runs in one
