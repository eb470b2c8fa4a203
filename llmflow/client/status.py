"""Where a run stands, from what Temporal says of it."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_json
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
)

from llmflow.client.errors import named
from llmflow.history.events import events_of, is_task_end, last_events, message_of, start_of, task_failed
from llmflow.history.payloads import Payloads
from llmflow.types.approvals import Waiting
from llmflow.types.contracts import BUDGET, TAGS, TENANT, USER, WAITING, Memo
from llmflow.types.runs import PendingCall, RunState, RunStatus

STATUS: Mapping[RunState, str] = MappingProxyType(
    {
        "running": "Running",
        "completed": "Completed",
        "failed": "Failed",
        "cancelled": "Canceled",
        "terminated": "Terminated",
        "continued_as_new": "ContinuedAsNew",
        "timed_out": "TimedOut",
    }
)
"""Our names of states -> those of Temporal's list filter."""

_STATE: Mapping[str, RunState] = {name.upper(): state for state, name in STATUS.items()}
_BUGS = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
)
_LAST_EVENTS = 10
_ADAPTERS: Mapping[str, TypeAdapter[Any]] = MappingProxyType(  # Any: values of several types
    {memo.name: TypeAdapter(memo.value) for memo in (TAGS, TENANT, USER, BUDGET, WAITING)}
)
T = TypeVar("T")


def begins_at(found: WorkflowExecution) -> datetime | None:
    """When the code of a run begins that was started with a delay; it may have been begun before."""
    # One that continues a run that was quick is held back by Temporal for up to a second: no start's delay.
    continues = found.raw_info.first_run_id not in ("", found.run_id)
    begins = found.execution_time
    return None if continues or begins is None or begins <= found.start_time else begins


async def status_of(found: WorkflowExecution) -> RunStatus:
    """The status of a run that was listed, or described: then with what it waits for."""
    state = _STATE[found.status.name.replace("_", "")] if found.status else "running"
    pending: tuple[PendingCall, ...] = ()
    # Temporal still names calls of runs that have ended: nobody waits for them.
    if state == "running" and isinstance(found, WorkflowExecutionDescription):
        pending = tuple(
            PendingCall(
                id=one.activity_id,
                type=one.activity_type.name,
                attempt=one.attempt,
                last_failure=message_of(one.last_failure),
            )
            for one in found.raw_description.pending_activities
        )
    return RunStatus(
        id=found.id,
        run_id=found.run_id,
        workflow=found.workflow_type,
        state=state,
        task_queue=found.task_queue,
        started_at=found.start_time,
        begins_at=begins_at(found),
        closed_at=found.close_time,
        events=found.history_length,
        history_bytes=found.raw_info.history_size_bytes,
        tags=await memo_tags(found),
        tenant=await memo_tenant(found),
        user=await _memo(found, USER),
        budget=await _memo(found, BUDGET),
        # A run that was ended from outside, or that continues as another, could not tidy up its memo.
        approvals=await memo_approvals(found) if state == "running" else (),
        pending=pending,
    )


async def why_stuck(temporal: Client, found: WorkflowExecutionDescription) -> str | None:
    """The error for which Temporal tries the task of a run again and again; `None` if it does not."""
    if found.status is not WorkflowExecutionStatus.RUNNING:
        return None
    for event in await last_events(temporal, found.id, found.run_id, _LAST_EVENTS):
        if failed := task_failed(event):
            if failed.cause not in _BUGS:
                return None
            try:
                return named(await Payloads(temporal, found.id).failure(failed.failure))
            except Exception:  # as in `_memo`
                return failed.failure.message
        if is_task_end(event):
            return None
    return None


async def input_of(temporal: Client, handle: WorkflowHandle[Any, Any]) -> Any:  # Any: JSON, runs of every type
    """What a run was given, as `arguments_of` has it: one value, or several as a list. `None` if it was nothing."""
    given = await arguments_of(temporal, handle)
    return given[0] if len(given) == 1 else given or None


async def arguments_of(temporal: Client, handle: WorkflowHandle[Any, Any]) -> list[Any]:  # Any: as above
    """What a run was given; of one that continues others, what the first of them was."""
    known = (await handle.describe()).raw_description.workflow_execution_info
    start = await start_of(events_of(temporal, handle.id, known.first_run_id or known.execution.run_id, page=1))
    return await Payloads(temporal, handle.id).read(start.input.payloads)


async def memo_tags(found: WorkflowExecution) -> tuple[str, ...]:
    """The tags of a run; none, if they cannot be read here."""
    return tuple(await _memo(found, TAGS) or ())


async def memo_tenant(found: WorkflowExecution) -> str | None:
    """The tenant of a run; none, if it cannot be read here."""
    return await _memo(found, TENANT)


async def memo_approvals(found: WorkflowExecution) -> tuple[Waiting, ...]:
    """The open questions of a run; none, if they cannot be read here."""
    waiting = await _memo(found, WAITING)
    return waiting.open if waiting else ()


async def _memo(found: WorkflowExecution, memo: Memo[T]) -> T | None:
    """What a run notes under a name. One run of somebody else's must not hide all the others."""
    try:
        value: object = await found.memo_value(memo.name, default=None)
        # In JSON, newer versions may say more.
        return None if value is None else _ADAPTERS[memo.name].validate_json(to_json(value))
    except Exception:  # whatever a codec or converter of the user's raises; only cancellation goes on
        return None


def quoted(text: str) -> str:
    """A text as Temporal's list filter takes it."""
    return "'{}'".format(text.replace("'", "''"))
