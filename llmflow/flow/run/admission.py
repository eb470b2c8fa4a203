"""Admission: limits on in-flight calls, on the size of a value, and on that of a workflow task."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.api.common.v1 import Payload

from llmflow.flow.run.part import Part
from llmflow.types.payloads import REFERENCE_BYTES, require_room

# A workflow task completes with one gRPC message of at most 4 MB. Activity inputs stay well below.
MAX_TASK_BYTES = 3_000_000
MAX_PENDING = 1_500
"""In-flight calls of one run. Temporal fails its workflow task above 2,000; the rest is left to the user's own code."""


class Admission(Part):
    """In-flight calls, and bytes scheduled in the current workflow task."""

    def __init__(self, stored_from: int | None) -> None:
        """Make the part.

        Args:
            stored_from: Size in bytes from which external storage takes a value; `None` without storage.
        """
        self._stored_from = stored_from
        self.places = asyncio.Semaphore(MAX_PENDING)
        """Held by each in-flight call; granted in order."""
        self._task = -1
        self._task_bytes = 0
        self._wave: asyncio.Task[None] | None = None

    def measured(self, value: object) -> tuple[Payload, int]:
        """Encode a value; return it with its size in the workflow task. A codec may change it by a little.

        Raises:
            TypeError, ValueError: the value cannot be written as JSON; the error is of both classes.
            PayloadTooLarge: Temporal does not take the value, and no external storage does.
        """
        [payload] = workflow.payload_converter().to_payloads([value])
        size = payload.ByteSize()
        if self._stored_from is not None and size >= self._stored_from:
            size = REFERENCE_BYTES
        require_room(value, size)
        return payload, size

    async def admit(self, size: int) -> None:
        """Wait until the current workflow task has room for `size` more bytes of activity input.

        Inputs that do not fit wait for the next task: twenty inputs of 250 KB go out in two waves, where one would
        block the run. A timer triggers that task, because a scheduled activity may be cancelled before it is sent.
        """
        while not self._fits(size):
            if self._wave is None or self._wave.done():
                self._wave = asyncio.create_task(workflow.sleep(timedelta(milliseconds=1)))
            await asyncio.shield(self._wave)
        self._task_bytes += size

    async def admit_child(self, size: int) -> None:
        """Do the same for the start of a child workflow, headers included."""
        # Older histories started all children at once. If they fit, there is no difference, and no marker is needed.
        if not self._fits(size) and workflow.patched("llmflow.children-in-waves"):
            await self.admit(size)
        else:
            self._task_bytes += size

    def _fits(self, size: int) -> bool:
        if self._task != (task := _current_task()):
            self._task, self._task_bytes = task, 0
        return self._task_bytes == 0 or self._task_bytes + size <= MAX_TASK_BYTES


def _current_task() -> int:
    """An id for the current workflow task: history length only changes between tasks, and is equal on replay."""
    return workflow.info().get_current_history_length()
