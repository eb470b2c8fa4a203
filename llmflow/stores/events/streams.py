"""Protocol of the place of run events."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from llmflow.types.events import RunEvent

KEPT_EVENTS = 10_000
"""Events that a stream keeps beside its deltas, the latest ones."""
KEPT_DELTAS = 2_000
"""Deltas that a stream keeps, the latest ones."""
KEPT_FOR = timedelta(days=7)
"""Time after its last event for which a stream is kept."""
PAGE = 500
"""Events of one read, at most."""
READS_FOR = timedelta(seconds=30)
"""Time for which a reader counts as reading, unless it says so again."""
RENEWS_EVERY = timedelta(seconds=10)

Wait = Callable[[str, bool], Awaitable[None]]
"""Waits until there may be news after an offset. The second is true while the next event is expected soon."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """An event, and the stream that it goes to."""

    stream: str
    """Workflow id of the root run."""
    event: RunEvent


class EventStreams(Protocol):
    """Streams of run events, each by the workflow id of its root run."""

    async def write(self, told: Sequence[Told]) -> frozenset[str]:
        """Append events in their order, and return the streams that are read now.

        An event with the id of an earlier one is dropped, and so is a delta of a stream that is not read.

        Raises:
            StoreUnavailable: the place does not answer. The events may have been written.
        """
        ...

    async def read_now(self) -> frozenset[str]:
        """Return the streams that are read now.

        Raises:
            StoreUnavailable: the place does not answer.
        """
        ...

    async def after(self, stream: str, offset: str) -> Sequence[RunEvent] | None:
        """Return the next events after an offset; `None` if the stream does not have it, because it was set back.

        Raises:
            InputInvalid: it is no offset.
            StoreUnavailable: the place does not answer.
        """
        ...

    def following(self, stream: str) -> AbstractAsyncContextManager[Wait]:
        """Count as a reader of the stream while the context is open.

        Raises:
            ConfigInvalid: there is no store, or it has another schema.
            StoreUnavailable: the place does not answer.
        """
        ...

    def noticing(self) -> AbstractAsyncContextManager[Callable[[], bool]]:
        """Yield a function that tells, at nearly no cost, if a reader may have come since it was called last.

        Raises:
            StoreUnavailable: the place does not answer.
        """
        ...

    async def prune(self, before: datetime) -> None:
        """Delete the streams that nothing was written to since then.

        Raises:
            StoreUnavailable: the place does not answer.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
