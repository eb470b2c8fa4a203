"""The index of an original run's history: results that a fork may reuse."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from temporalio.api.history.v1 import HistoryEvent

from llmflow.history.events import is_end
from llmflow.history.recorded import (
    Encoded,
    RecordedCall,
    RecordedChild,
    calls,
    children,
    is_compensation,
    local_results,
    undone,
    upserted,
)
from llmflow.types.addresses import around, batch_of, joined
from llmflow.types.contracts import CARRIED, CONFIG, DECIDED, FORKED, RESOLVE
from llmflow.types.forks import Hop

T = TypeVar("T")


@dataclass(frozen=True)
class RecordedRun:
    """A run, up to the time when its history was read."""

    workflow_id: str
    workflow_type: str
    calls: Mapping[str, Sequence[RecordedCall]]
    """Calls by activity id, in the order of scheduling."""
    children: Mapping[str, RecordedChild]
    """Children by address."""
    undone: frozenset[str]
    """Steps of sagas whose compensation has started."""
    pins: tuple[Encoded, ...]
    """Results of its resolve activities."""
    constants: tuple[Encoded, ...]
    """Results of its activities that read constants."""
    settled: tuple[tuple[int, Encoded], ...]
    """Questions that were decided or expired, by event id."""
    forked: Encoded | None
    """The fork that it is, from the memo of its start."""
    carried: Encoded | None
    """Carried state in its start."""
    closed: bool
    """True if the history is complete."""
    size: int
    """Size of the history in bytes."""

    def call(self, activity_id: str, activity_type: str, before: int) -> RecordedCall | None:
        """Find the latest call of the activity that has a result and was scheduled before an event.

        Compensated actions and compensations are not reused: the fork repeats the action, and compensates its own.
        """
        if is_compensation(activity_id) or self.is_undone(activity_id):
            return None
        for one in reversed(self.calls.get(activity_id, ())):
            if one.type == activity_type and one.at < before and one.result is not None:
                return one
        return None

    def is_undone(self, activity_id: str) -> bool:
        """Return True for a call in an action of a saga that was compensated."""
        return any(path in self.undone for path in around(activity_id))

    def effect(self, activity_id: str, activity_type: str) -> RecordedCall | None:
        """Find the latest call of an effect in the whole history: what was done has been done, wherever it stands.

        Compensated actions and compensations are part of it.
        """
        found = [one for one in self.calls.get(activity_id, ()) if one.type == activity_type]
        return found[-1] if found else None

    def below(self, hop: Hop, before: int) -> Iterator[RecordedChild]:
        """Find the child at an address, or all children with items of a batch, started before an event."""
        if hop.batch:
            found = [child for child in self.children.values() if self._worked_on(hop.batch, child)]
        else:
            found = [self.children[hop.place]] if hop.place in self.children else []
        return (child for child in found if child.at < before and child.run_id)

    def _worked_on(self, batch: str, child: RecordedChild) -> bool:
        """Return True if a child shares items with a batch: `run/notes[0-4]` with `notes[3-6]`."""
        one, other = batch_of(joined((self.workflow_id, batch))), batch_of(child.workflow_id)
        if one is None or other is None or one[0] != other[0]:
            return False
        return one[1].start < other[1].stop and other[1].start < one[1].stop


def index(workflow_id: str, events: Sequence[HistoryEvent], places: Mapping[int, str]) -> RecordedRun:
    """Index the parts of a history that forks need.

    Args:
        workflow_id: Workflow id of the run.
        events: All events.
        places: Addresses of its children, by the event that initiated them.
    """
    started = events[0].workflow_execution_started_event_attributes
    by_id = _grouped((call.id, call) for call in calls(events))
    addresses = (*by_id, *places.values())
    told, memo = started.header.fields, started.memo.fields
    return RecordedRun(
        workflow_id=workflow_id,
        workflow_type=started.workflow_type.name,
        calls=by_id,
        undone=undone(addresses),
        children={child.place: child for child in children(events, places)},
        pins=tuple(local_results(events, RESOLVE.name)),
        constants=tuple(local_results(events, CONFIG.name)),
        settled=tuple(upserted(events, DECIDED.name)),
        forked=memo[FORKED.name].SerializeToString() if FORKED.name in memo else None,
        carried=told[CARRIED.name].SerializeToString() if CARRIED.name in told else None,
        closed=is_end(events[-1]),
        size=sum(event.ByteSize() for event in events),
    )


def _grouped(pairs: Iterable[tuple[str, T]]) -> Mapping[str, Sequence[T]]:
    groups: defaultdict[str, list[T]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return dict(groups)
