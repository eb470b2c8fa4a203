"""Run events: the stream of a run and its descendants, read while it happens."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from time import monotonic
from typing import TypeGuard, TypeVar

from temporalio.client import Client as TemporalClient

from llmflow.client.errors import readable_errors
from llmflow.client.status import state_of
from llmflow.history.executions import describe
from llmflow.stores.events.streams import EventStreams
from llmflow.types.base import changed
from llmflow.types.events import CallEnded, CallStarted, RunEnded, RunEvent, RunStarted, StreamReset, identified

E = TypeVar("E", RunStarted, RunEnded)

ASKS_EVERY = 2.0
"""Seconds without events after which Temporal is asked if the run has ended: a killed worker tells no end."""
ENDING = 5.0
"""Seconds for which a run that told its end may still be open: its last workflow task has yet to complete."""
_LAST, _UNTOLD = 0.2, 1.5
"""Seconds in which the last events of other workers arrive, if one has told the end; and if none has."""


async def follow(streams: EventStreams, temporal: TemporalClient, id: str, after: str) -> AsyncGenerator[RunEvent]:
    """Yield the events of a root run's stream, and its end last. Temporal decides if the run has ended.

    Raises:
        InputInvalid: `after` is no offset.
        RunNotFound: Temporal has deleted the run.
        ConfigInvalid: there is no store, or it has another schema.
        StoreUnavailable: the store does not answer. A reader goes on after the offset of its last event.
    """
    offset, end = after, _End(temporal, id)
    calls: set[str] = set()
    async with streams.following(id) as wait:
        events = [] if after else await _begun(streams, id)
        while True:
            for event in events:
                offset = event.offset
                if isinstance(event, CallStarted):
                    calls.add(event.path)
                elif isinstance(event, CallEnded):
                    calls.discard(event.path)
                if not end.is_told(event):
                    yield event
            if not events and (ended := await end.now(offset)):
                yield ended
                return
            if not events:
                await wait(offset, bool(calls))
            found = await streams.after(id, offset)
            if found is None:
                calls.clear()  # their ends are lost
                yield StreamReset(at=datetime.now(UTC), run=id, after=offset)
            offset, events = offset if found is not None else "", found or []


async def _begun(streams: EventStreams, id: str) -> list[RunEvent]:
    """Return the events so far, without those of an earlier run with the same workflow id."""
    events: list[RunEvent] = []
    while page := await streams.after(id, events[-1].offset if events else ""):
        events += page
    starts = [at for at, event in enumerate(events) if _is_root(event, id, RunStarted) and not event.continued]
    return events[starts[-1] :] if starts else events


class _End:
    """The end of a root run. An event that tells it only says when to ask Temporal."""

    def __init__(self, temporal: TemporalClient, id: str) -> None:
        self._temporal = temporal
        self._id = id
        self._told: RunEnded | None = None
        self._until = self._asks_at = 0.0
        self._found: RunEnded | None = None

    def is_told(self, event: RunEvent) -> bool:
        """Return True for the event that tells the end of the root run."""
        now = monotonic()
        self._asks_at = now + ASKS_EVERY
        if not _is_root(event, self._id, RunEnded):
            return False
        self._told, self._until, self._asks_at = event, now + ENDING, now
        return True

    async def now(self, offset: str) -> RunEnded | None:
        """Return the end if the run has ended, and other workers have had the time to write their last events."""
        if self._found:
            return changed(self._found, offset=offset)
        if monotonic() < self._asks_at:
            return None
        pause = 0.05 if self._told and monotonic() < self._until else ASKS_EVERY
        self._asks_at = monotonic() + pause
        async with readable_errors(self._id):
            found = await describe(self._temporal, self._temporal.get_workflow_handle(self._id))
        if (state := state_of(found)) != "running":
            told = self._told if self._told and self._told.run_id == found.run_id else None
            self._found = RunEnded(
                id=identified("run_ended", found.run_id, ""),
                at=found.close_time or datetime.now(UTC),
                run=self._id,
                run_id=found.run_id,
                state=state,
                error=told and told.error,
            )
            await asyncio.sleep(_LAST if told else _UNTOLD)
        elif self._told and pause < ASKS_EVERY:  # its last workflow task completes in a moment
            await asyncio.sleep(pause)
        return None


def _is_root(event: RunEvent, id: str, kind: type[E]) -> TypeGuard[E]:
    return isinstance(event, kind) and event.run == id and not event.path
