"""Events of a history: pages of them, and the contents of one."""

from collections.abc import AsyncIterator, Sequence

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import (
    ActivityTaskScheduledEventAttributes,
    HistoryEvent,
    StartChildWorkflowExecutionInitiatedEventAttributes,
    WorkflowExecutionSignaledEventAttributes,
    WorkflowExecutionStartedEventAttributes,
    WorkflowTaskFailedEventAttributes,
)
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client

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
_TASK_ENDS = frozenset({EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT})


def events_of(client: Client, id: str, run_id: str | None, page: int | None = None) -> AsyncIterator[HistoryEvent]:
    """Yield the events of a run from the first one, in pages of `page`.

    Raises:
        RPCError: Temporal's own.
    """
    return client.get_workflow_handle(id, run_id=run_id).fetch_history_events(page_size=page)


async def start_of(events: AsyncIterator[HistoryEvent]) -> WorkflowExecutionStartedEventAttributes:
    """Return the start of a run: the first of its events, which is consumed.

    Raises:
        RPCError: Temporal's own.
    """
    return (await anext(events)).workflow_execution_started_event_attributes


async def last_events(client: Client, id: str, run_id: str, count: int) -> Sequence[HistoryEvent]:
    """Yield the last events of a run, newest first.

    Raises:
        RPCError: Temporal's own.
    """
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=id, run_id=run_id),
        maximum_page_size=count,
    )
    return (await client.workflow_service.get_workflow_execution_history_reverse(request)).history.events


def started(event: HistoryEvent) -> WorkflowExecutionStartedEventAttributes | None:
    """Return the start of the run."""
    if event.HasField("workflow_execution_started_event_attributes"):
        return event.workflow_execution_started_event_attributes
    return None


def scheduled(event: HistoryEvent) -> ActivityTaskScheduledEventAttributes | None:
    """Return an activity that the run schedules."""
    if event.HasField("activity_task_scheduled_event_attributes"):
        return event.activity_task_scheduled_event_attributes
    return None


def initiated(event: HistoryEvent) -> StartChildWorkflowExecutionInitiatedEventAttributes | None:
    """Return a child workflow that the run requests."""
    if event.HasField("start_child_workflow_execution_initiated_event_attributes"):
        return event.start_child_workflow_execution_initiated_event_attributes
    return None


def child_started(event: HistoryEvent) -> WorkflowExecution | None:
    """Return a child workflow that has started."""
    if event.HasField("child_workflow_execution_started_event_attributes"):
        return event.child_workflow_execution_started_event_attributes.workflow_execution
    return None


def task_failed(event: HistoryEvent) -> WorkflowTaskFailedEventAttributes | None:
    """Return a failed workflow task. Only its first attempt is an event."""
    if event.HasField("workflow_task_failed_event_attributes"):
        return event.workflow_task_failed_event_attributes
    return None


def signaled(event: HistoryEvent) -> WorkflowExecutionSignaledEventAttributes | None:
    """Return a signal that was sent to the run."""
    if event.HasField("workflow_execution_signaled_event_attributes"):
        return event.workflow_execution_signaled_event_attributes
    return None


def is_task_scheduled(event: HistoryEvent) -> bool:
    """True for a workflow task that waits for a worker."""
    return event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED


def is_task_end(event: HistoryEvent) -> bool:
    """True for a workflow task that ended without a failure."""
    return event.event_type in _TASK_ENDS


def is_end(event: HistoryEvent) -> bool:
    """True for the end of the run: no event comes after it."""
    return event.event_type in _ENDS


def continued_as(event: HistoryEvent) -> str:
    """Return the id of the run that continues this one; empty unless the event names it."""
    return event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id


def attempt_failure(failure: Failure) -> Failure:
    """Return the failure of an attempt itself.

    Temporal keeps 4 KB of it. It shortens a larger one, as the cause of a failure that only says so.
    """
    return failure.cause if failure.HasField("server_failure_info") and failure.HasField("cause") else failure
