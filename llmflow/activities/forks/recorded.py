"""What an earlier run has recorded: an index of its history."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from llmflow.types.addresses import around, base_of, batch_of, joined, names_of
from llmflow.types.contracts import CARRIED, RESOLVE
from llmflow.types.forks import Hop
from llmflow.types.steps import UNDO

LOCAL_ACTIVITY = "core_local_activity"
"""The marker that Temporal's SDK writes for a local activity."""
_ENDS = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)

Encoded = bytes
"""A payload as the history has it, encrypted or a reference. Bytes, because a part of a message keeps the whole of it
in memory."""

T = TypeVar("T")


@dataclass(frozen=True)
class RecordedCall:
    """One activity that a run scheduled."""

    id: str
    type: str
    task_queue: str
    at: int
    """Event id."""
    input: tuple[Encoded, ...]
    result: tuple[Encoded, ...] | None
    """`None`: it failed, or was not over."""


@dataclass(frozen=True)
class RecordedChild:
    """One child workflow that a run started."""

    at: int
    """Event id of the wish for it."""
    place: str
    """Where it was started, such as `chapter[3]/Write#1`."""
    workflow_id: str
    run_id: str
    """Empty: it never began."""


@dataclass(frozen=True)
class RecordedRun:
    """One run, as far as its history went when it was read."""

    workflow_id: str
    workflow_type: str
    calls: Mapping[str, Sequence[RecordedCall]]
    """By activity id, in the order in which they were scheduled."""
    children: Mapping[str, RecordedChild]
    """By the place where they were started."""
    undone: frozenset[str]
    """Paths of the steps of sagas that were undone, or begun to be."""
    pins: tuple[Encoded, ...]
    """The answers to its questions for pins."""
    carried: Encoded | None
    """What was handed on to it."""
    closed: bool
    """Whether nothing comes after it."""
    size: int
    """Bytes of the history."""

    def call(self, activity_id: str, activity_type: str, before: int) -> RecordedCall | None:
        """The newest such activity that has a result and was scheduled before that event.

        What was undone is to be done again, and a compensation undoes what its own run has done.
        """
        if any(_undoes(path) or path in self.undone for path in around(activity_id)):
            return None
        for one in reversed(self.calls.get(activity_id, ())):
            if one.type == activity_type and one.at < before and one.result is not None:
                return one
        return None

    def below(self, hop: Hop, before: int) -> Iterator[RecordedChild]:
        """The child of that place, or all that worked on items of that batch: what began before that event."""
        if hop.batch:
            found = [child for child in self.children.values() if self._worked_on(hop.batch, child)]
        else:
            found = [self.children[hop.place]] if hop.place in self.children else []
        return (child for child in found if child.at < before and child.run_id)

    def _worked_on(self, batch: str, child: RecordedChild) -> bool:
        """Whether the child had some of the items of the batch: `run/notes[0-4]` of `notes[3-6]`."""
        one, other = batch_of(joined((self.workflow_id, batch))), batch_of(child.workflow_id)
        if one is None or other is None or one[0] != other[0]:
            return False
        return one[1].start < other[1].stop and other[1].start < one[1].stop


def _undoes(path: str) -> bool:
    """Whether it is the step in which a saga undoes the one around it: `book/undo`, `book/undo#2`."""
    return names_of(base_of(path))[-1:] == (UNDO,)


def index(workflow_id: str, events: Sequence[HistoryEvent], places: Mapping[int, str]) -> RecordedRun:
    """Keep of a history what a fork may ask for.

    Args:
        workflow_id: Of the run.
        events: All of them.
        places: Where its children were started, by the event of the wish for them.
    """
    started = events[0].workflow_execution_started_event_attributes
    results = {
        event.activity_task_completed_event_attributes.scheduled_event_id: _encoded(
            event.activity_task_completed_event_attributes.result.payloads
        )
        for event in events
        if event.HasField("activity_task_completed_event_attributes")
    }
    runs = {
        event.child_workflow_execution_started_event_attributes.initiated_event_id: (
            event.child_workflow_execution_started_event_attributes.workflow_execution.run_id
        )
        for event in events
        if event.HasField("child_workflow_execution_started_event_attributes")
    }
    calls = _grouped(_calls(events, results))
    addresses = (*calls, *places.values())
    undone = (joined(names_of(path)[:-1]) for address in addresses for path in around(address) if _undoes(path))
    carried = _encoded([started.header.fields[CARRIED.name]]) if CARRIED.name in started.header.fields else (None,)
    return RecordedRun(
        workflow_id=workflow_id,
        workflow_type=started.workflow_type.name,
        calls=calls,
        undone=frozenset(undone),
        children={child.place: child for child in _children(events, runs, places)},
        pins=tuple(_pins(events)),
        carried=carried[0],
        closed=events[-1].event_type in _ENDS,
        size=sum(event.ByteSize() for event in events),
    )


def _calls(
    events: Iterable[HistoryEvent], results: Mapping[int, tuple[Encoded, ...]]
) -> Iterator[tuple[str, RecordedCall]]:
    for event in events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            call = event.activity_task_scheduled_event_attributes
            yield (
                call.activity_id,
                RecordedCall(
                    id=call.activity_id,
                    type=call.activity_type.name,
                    task_queue=call.task_queue.name,
                    at=event.event_id,
                    input=_encoded(call.input.payloads),
                    result=results.get(event.event_id),
                ),
            )


def _children(
    events: Iterable[HistoryEvent], runs: Mapping[int, str], places: Mapping[int, str]
) -> Iterator[RecordedChild]:
    for event in events:
        if place := places.get(event.event_id):
            child = event.start_child_workflow_execution_initiated_event_attributes
            yield RecordedChild(event.event_id, place, child.workflow_id, runs.get(event.event_id, ""))


def _pins(events: Iterable[HistoryEvent]) -> Iterator[Encoded]:
    for event in events:
        marker = event.marker_recorded_event_attributes
        if marker.marker_name == LOCAL_ACTIVITY and "result" in marker.details:
            said = json.loads(marker.details["data"].payloads[0].data)
            if said["activity_type"] == RESOLVE.name:
                yield from _encoded(marker.details["result"].payloads)


def _encoded(payloads: Iterable[Payload]) -> tuple[Encoded, ...]:
    return tuple(payload.SerializeToString() for payload in payloads)


def _grouped(pairs: Iterable[tuple[str, T]]) -> Mapping[str, Sequence[T]]:
    groups: defaultdict[str, list[T]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return dict(groups)
