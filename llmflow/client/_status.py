"""Where a run stands, from what Temporal says of it."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import TypeAdapter
from temporalio.client import WorkflowExecution, WorkflowExecutionDescription

from llmflow.types.approvals import WAITING, Waiting, WaitingList
from llmflow.types.origins import TAGS, TENANT
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
_TAGS: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])


async def status_of(found: WorkflowExecution) -> RunStatus:
    """The status of a run that was listed, or described: then with what it waits for."""
    pending: tuple[PendingCall, ...] = ()
    if isinstance(found, WorkflowExecutionDescription):
        pending = tuple(
            PendingCall(
                id=one.activity_id,
                type=one.activity_type.name,
                attempt=one.attempt,
                last_failure=one.last_failure.message or None,
            )
            for one in found.raw_description.pending_activities
        )
    state = _STATE[found.status.name.replace("_", "")] if found.status else "running"
    return RunStatus(
        id=found.id,
        run_id=found.run_id,
        workflow=found.workflow_type,
        state=state,
        task_queue=found.task_queue,
        started_at=found.start_time,
        closed_at=found.close_time,
        events=found.history_length,
        history_bytes=found.raw_info.history_size_bytes,
        tags=await memo_tags(found),
        # A run that was ended from outside, or that continues as another, could not tidy up its memo.
        approvals=await memo_approvals(found) if state == "running" else (),
        pending=pending,
    )


async def memo_tags(found: WorkflowExecution) -> tuple[str, ...]:
    """The tags of a run; none, if they cannot be read here: one run of somebody else's must not hide all the others."""
    try:
        memo: object = await found.memo_value(TAGS, default=None, type_hint=list[str])
        return _TAGS.validate_python(memo)  # a converter need not heed the type: Temporal's own does not for bytes
    except Exception:  # whatever a codec or converter of the user's raises; only cancellation goes on
        return ()


async def memo_tenant(found: WorkflowExecution) -> str | None:
    """The tenant of a run; none, if it cannot be read here."""
    try:
        tenant: object = await found.memo_value(TENANT, default=None, type_hint=str)
    except Exception:  # as above
        return None
    return tenant if isinstance(tenant, str) else None


async def memo_approvals(found: WorkflowExecution) -> tuple[Waiting, ...]:
    """The open questions of a run; none, if they cannot be read here."""
    if WAITING not in found.raw_info.memo.fields:
        return ()
    try:
        return (await found.memo_value(WAITING, type_hint=WaitingList)).open
    except Exception:  # as above
        return ()


def quoted(text: str) -> str:
    """A text as Temporal's list filter takes it."""
    return "'{}'".format(text.replace("'", "''"))
