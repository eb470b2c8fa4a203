"""The index of a history: what a fork finds in it."""

import json
from collections.abc import Sequence

import pytest
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from llmflow.activities.forks.recorded import RecordedRun, index
from llmflow.types.forks import Hop


class History:
    """Events as a server writes them."""

    def __init__(self) -> None:
        self.events: list[HistoryEvent] = []
        self.places: dict[int, str] = {}
        self._event().workflow_execution_started_event_attributes.workflow_type.name = "Article"

    def call(self, id: str, result: str | None = None, *, type: str = "llmflow.complete") -> int:
        scheduled = self._event()
        attributes = scheduled.activity_task_scheduled_event_attributes
        attributes.activity_id, attributes.activity_type.name = id, type
        attributes.input.CopyFrom(_payloads(f"input of {id}"))
        if result is not None:
            completed = self._event().activity_task_completed_event_attributes
            completed.scheduled_event_id = scheduled.event_id
            completed.result.CopyFrom(_payloads(result))
        return scheduled.event_id

    def child(self, workflow_id: str, place: str | None = None, *, begins: bool = True) -> int:
        wanted = self._event()
        attributes = wanted.start_child_workflow_execution_initiated_event_attributes
        attributes.workflow_id, attributes.workflow_type.name = workflow_id, "Write"
        if place:
            self.places[wanted.event_id] = place
        if begins:
            started = self._event().child_workflow_execution_started_event_attributes
            started.initiated_event_id = wanted.event_id
            started.workflow_execution.run_id = f"run of {workflow_id}"
        return wanted.event_id

    def local(self, type: str, result: str) -> None:
        marker = self._event().marker_recorded_event_attributes
        marker.marker_name = "core_local_activity"
        marker.details["data"].CopyFrom(_payloads({"activity_type": type}))
        marker.details["result"].CopyFrom(_payloads(result))

    def end(self) -> None:
        self._event().event_type = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED

    def index(self) -> RecordedRun:
        return index("r", self.events, self.places)

    def _event(self) -> HistoryEvent:
        self.events.append(HistoryEvent(event_id=len(self.events) + 1))
        return self.events[-1]


def _payloads(value: object) -> Payloads:
    return Payloads(payloads=[Payload(data=json.dumps(value).encode())])


def _read(encoded: Sequence[bytes]) -> list[object]:
    return [json.loads(Payload.FromString(one).data) for one in encoded]


def test_a_call_is_found_by_its_id_and_type_with_its_result() -> None:
    history = History()
    at = history.call("plan/complete#1", "a plan")
    run = history.index()
    found = run.call("plan/complete#1", "llmflow.complete", at + 1)
    assert found and found.result is not None
    assert (_read(found.input), _read(found.result)) == (["input of plan/complete#1"], ["a plan"])
    assert run.call("plan/complete#1", "llmflow.complete", at) is None, "it was not before that event"
    assert run.call("plan/complete#1", "search", at + 1) is None
    assert run.call("plan/complete#2", "llmflow.complete", at + 1) is None


def test_what_failed_or_was_not_over_is_not_there() -> None:
    history = History()
    at = history.call("plan/complete#1")
    assert history.index().call("plan/complete#1", "llmflow.complete", at + 1) is None


def test_of_several_calls_with_one_id_the_newest_that_has_a_result() -> None:
    history = History()
    first, second, third = history.call("poll", "wait"), history.call("poll", "done"), history.call("poll")
    run = history.index()
    for before, expected in ((second, "wait"), (third, "done"), (third + 1, "done")):
        found = run.call("poll", "llmflow.complete", before)
        assert found and found.result is not None
        assert _read(found.result) == [expected]
    assert run.call("poll", "llmflow.complete", first) is None


def test_pins_are_the_answers_to_one_question() -> None:
    history = History()
    history.local("llmflow.resolve", "pins of a")
    history.local("llmflow.reach", "something else")
    history.local("llmflow.resolve", "pins of b")
    assert _read(history.index().pins) == ["pins of a", "pins of b"]


def test_a_child_is_found_by_the_place_where_it_was_started() -> None:
    history = History()
    at = history.child("b", "notes[1]/Write#1")
    history.child("a", "notes[0]/Write#1")
    history.child("never", "notes[2]/Write#1", begins=False)
    history.child("of an older llmflow")
    run = history.index()

    def below(place: str, before: int = 100) -> list[str]:
        return [child.workflow_id for child in run.below(Hop(place=place), before)]

    assert [below(f"notes[{n}]/Write#1") for n in range(4)] == [["a"], ["b"], [], []]
    assert below("notes[1]/Write#1", before=at) == []


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        ("notes[0-4]", ["r/notes[0-4]"]),
        ("notes[3-6]", ["r/notes[0-4]", "r/notes[5-6]"]),
        ("notes[7-12]", ["r/notes[7-9]", "r/notes[10-12]"]),
        ("notes[13-20]", []),
        ("more/notes[0-4]", ["r/more/notes[0-4]"]),
        ("otes[0-4]", []),
    ],
)
def test_batches_are_found_by_their_items_however_they_were_cut(batch: str, expected: list[str]) -> None:
    history = History()
    for n, span in enumerate(("notes[0-4]", "notes[5-6]", "more/notes[0-4]", "notes[7-9]", "notes[10-12]"), 1):
        history.child(f"r/{span}", f"{span.partition('[')[0]}/Article#{n}")
    history.child("no batch", "notes/Write#1")
    found = history.index().below(Hop(place="notes/Article#1", batch=batch), 100)
    assert [child.workflow_id for child in found] == expected


@pytest.mark.parametrize("ended", [False, True])
def test_a_history_is_whole_when_the_run_has_ended(ended: bool) -> None:
    history = History()
    history.call("plan/complete#1", "a plan")
    if ended:
        history.end()
    assert history.index().closed is ended


def test_what_was_undone_is_done_again_and_no_compensation_is_taken() -> None:
    history = History()
    for id in ("trip/book/book#1", "trip/pay/pay#1", "trip/book/undo#2/cancel#1", "undone/complete#1"):
        history.call(id, "done")
    run = history.index()
    taken = [id for id in run.calls if run.call(id, "llmflow.complete", before=1_000)]
    assert taken == ["trip/pay/pay#1", "undone/complete#1"]


def test_what_a_child_has_undone_is_done_again() -> None:
    history = History()
    history.call("book/book#1", "done")
    history.child("undoes it", "book/undo/Cancel#1")
    assert history.index().call("book/book#1", "llmflow.complete", before=100) is None
