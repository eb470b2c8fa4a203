"""Activities, children and local activities in a history, and its end."""

import json

import pytest
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure, ServerFailureInfo
from temporalio.api.history.v1 import HistoryEvent

from llmflow.history.events import attempt_failure, continued_as, is_end, scheduled, started
from llmflow.history.recorded import calls, children, decoded, encoded, local_results


def _payload(value: object) -> Payload:
    return Payload(data=json.dumps(value).encode(), metadata={"encoding": b"json/plain"})


def _call(at: int, id: str) -> HistoryEvent:
    event = HistoryEvent(event_id=at)
    event.activity_task_scheduled_event_attributes.activity_id = id
    return event


def _completed(at: int, call: int, value: object) -> HistoryEvent:
    event = HistoryEvent(event_id=at)
    event.activity_task_completed_event_attributes.scheduled_event_id = call
    event.activity_task_completed_event_attributes.result.CopyFrom(Payloads(payloads=[_payload(value)]))
    return event


def test_each_call_has_its_own_result() -> None:
    events = [_call(5, "a#1"), _call(6, "b#1"), _call(7, "c#1"), _completed(9, 6, "b"), _completed(10, 5, "a")]
    found = {call.id: call.result and decoded(call.result)[0] for call in calls(events)}
    assert found == {"a#1": _payload("a"), "b#1": _payload("b"), "c#1": None}


def test_payloads_are_kept_as_they_are() -> None:
    payloads = [_payload(1), _payload("two")]
    assert decoded(encoded(payloads)) == payloads


def test_children_that_never_began_have_no_run() -> None:
    wanted, begun = HistoryEvent(event_id=5), HistoryEvent(event_id=6)
    wanted.start_child_workflow_execution_initiated_event_attributes.workflow_id = "child"
    assert [one.run_id for one in children([wanted], {5: "Write#1"})] == [""]
    begun.child_workflow_execution_started_event_attributes.initiated_event_id = 5
    begun.child_workflow_execution_started_event_attributes.workflow_execution.run_id = "its run"
    assert [one.run_id for one in children([wanted, begun], {5: "Write#1"})] == ["its run"]
    assert not list(children([wanted, begun], {}))


def test_markers_of_others_are_no_local_activities() -> None:
    patched = HistoryEvent(event_id=5)
    patched.marker_recorded_event_attributes.marker_name = "core_patch"
    patched.marker_recorded_event_attributes.details["result"].CopyFrom(Payloads(payloads=[_payload(1)]))
    assert not list(local_results([patched, _call(6, "a#1")], "llmflow.resolve"))


def test_an_event_is_one_thing() -> None:
    call = _call(5, "a#1")
    assert scheduled(call) and not started(call)
    assert not scheduled(HistoryEvent(event_id=1))


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        (EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, True),
        (EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, True),
        (EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, False),
    ],
)
def test_what_ends_a_run(kind: EventType.ValueType, ends: bool) -> None:
    assert is_end(HistoryEvent(event_type=kind)) is ends


def test_a_run_that_continues_says_as_which_one() -> None:
    event = HistoryEvent()
    assert continued_as(event) == ""
    event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id = "the next"
    assert continued_as(event) == "the next"


def test_a_failure_that_the_server_shortened_says_what_its_cause_does() -> None:
    cause = Failure(message="it broke")
    assert attempt_failure(cause).message == "it broke"
    short = Failure(message="Failure exceeds size limit.", cause=cause, server_failure_info=ServerFailureInfo())
    assert attempt_failure(short).message == "it broke"
