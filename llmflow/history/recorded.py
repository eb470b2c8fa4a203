"""Activities and children of a history, each with its outcome."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent

from llmflow.history.events import initiated, scheduled
from llmflow.types import wire
from llmflow.types.addresses import around, base_of, joined, names_of
from llmflow.types.steps import UNDO

LOCAL_ACTIVITY = "core_local_activity"
"""Marker that Temporal's SDK writes for a local activity."""

Encoded = bytes
"""A payload as the history has it, encrypted or a reference. Bytes, because a part of a message keeps the whole of it
in memory."""


@dataclass(frozen=True)
class RecordedCall:
    """One activity that a run scheduled."""

    id: str
    type: str
    task_queue: str
    at: int
    """Event id."""
    is_effect: bool
    input: tuple[Encoded, ...]
    result: tuple[Encoded, ...] | None
    """`None`: it failed, or was not over."""
    failure: Encoded | None
    """Last failure; `None`: it did not fail, or it ran out of time, or was cancelled."""


@dataclass(frozen=True)
class RecordedChild:
    """One child workflow that a run started."""

    at: int
    """Event id of its initiation."""
    place: str
    """Address where it was started, such as `chapter[3]/Write#1`."""
    workflow_id: str
    run_id: str
    """Run id; empty: it never started."""


def calls(events: Sequence[HistoryEvent]) -> Iterator[RecordedCall]:
    """Return activities in the order in which they were scheduled."""
    results = {
        event.activity_task_completed_event_attributes.scheduled_event_id: encoded(
            event.activity_task_completed_event_attributes.result.payloads
        )
        for event in events
        if event.HasField("activity_task_completed_event_attributes")
    }
    failures = {
        event.activity_task_failed_event_attributes.scheduled_event_id: (
            event.activity_task_failed_event_attributes.failure.SerializeToString()
        )
        for event in events
        if event.HasField("activity_task_failed_event_attributes")
    }
    for event in events:
        if call := scheduled(event):
            yield RecordedCall(
                id=call.activity_id,
                type=call.activity_type.name,
                task_queue=call.task_queue.name,
                at=event.event_id,
                is_effect=wire.EFFECT in call.header.fields,
                input=encoded(call.input.payloads),
                result=results.get(event.event_id),
                failure=failures.get(event.event_id),
            )


def children(events: Sequence[HistoryEvent], places: Mapping[int, str]) -> Iterator[RecordedChild]:
    """Return children whose place is known.

    Args:
        events: All events of the history.
        places: Addresses, by the event that initiated the child.
    """
    runs = {
        event.child_workflow_execution_started_event_attributes.initiated_event_id: (
            event.child_workflow_execution_started_event_attributes.workflow_execution.run_id
        )
        for event in events
        if event.HasField("child_workflow_execution_started_event_attributes")
    }
    for event in events:
        if (child := initiated(event)) and (place := places.get(event.event_id)):
            yield RecordedChild(event.event_id, place, child.workflow_id, runs.get(event.event_id, ""))


def local_results(events: Iterable[HistoryEvent], activity_type: str) -> Iterator[Encoded]:
    """Return the results of local activities of one type."""
    for event in events:
        marker = event.marker_recorded_event_attributes
        if marker.marker_name == LOCAL_ACTIVITY and "result" in marker.details:
            said = json.loads(marker.details["data"].payloads[0].data)
            if said["activity_type"] == activity_type:
                yield from encoded(marker.details["result"].payloads)


def upserted(events: Iterable[HistoryEvent], memo: str) -> Iterator[tuple[int, Encoded]]:
    """Return the values that a run gave one of its memos, by event id."""
    for event in events:
        fields = event.workflow_properties_modified_event_attributes.upserted_memo.fields
        if memo in fields:
            yield event.event_id, fields[memo].SerializeToString()


def is_compensation(address: str) -> bool:
    """Return True for a call inside of a compensating step of a saga."""
    return any(map(_undoes, around(address)))


def undone(addresses: Iterable[str]) -> frozenset[str]:
    """Return the steps of sagas whose compensation has started: its calls are among the addresses."""
    return frozenset(joined(names_of(path)[:-1]) for address in addresses for path in around(address) if _undoes(path))


def _undoes(path: str) -> bool:
    """Return True for a compensating step of a saga: `book/undo`, `book/undo#2`."""
    return names_of(base_of(path))[-1:] == (UNDO,)


def encoded(payloads: Iterable[Payload]) -> tuple[Encoded, ...]:
    """Serialize payloads."""
    return tuple(payload.SerializeToString() for payload in payloads)


def decoded(payloads: Iterable[Encoded]) -> list[Payload]:
    """Parse serialized payloads."""
    return [Payload.FromString(one) for one in payloads]
