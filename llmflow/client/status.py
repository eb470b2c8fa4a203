"""Status of runs, from the Temporal server."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_json
from temporalio.api.enums.v1 import PendingActivityState, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.exceptions import FailureError

from llmflow.client.errors import named, unreadable
from llmflow.errors import LLMFlowError
from llmflow.history.events import attempt_failure, events_of, is_task_end, last_events, start_of, task_failed
from llmflow.history.executions import describe, is_paused
from llmflow.history.payloads import Payloads
from llmflow.history.places import users_place
from llmflow.types.approvals import Waiting
from llmflow.types.contracts import BUDGET, FORKED, STOP, TAGS, TENANT, USER, WAITING, Memo
from llmflow.types.forks import Stopped
from llmflow.types.runs import PendingCall, PendingChild, RunState, RunStatus

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
"""Names of states in Temporal's list filter, by our names."""

_STATE: Mapping[str, RunState] = {name.upper(): state for state, name in STATUS.items()}
_BUGS = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
)
_LAST_EVENTS = 10
_ADAPTERS: Mapping[str, TypeAdapter[Any]] = MappingProxyType(  # Any: values of several types
    {memo.name: TypeAdapter(memo.value) for memo in (TAGS, TENANT, USER, BUDGET, WAITING, FORKED, STOP)}
)
T = TypeVar("T")


def in_state(state: RunState) -> str:
    """Return Temporal's list filter for a state. A paused run is a running one, though it has another status there."""
    if state != "running":
        return f"ExecutionStatus = '{STATUS[state]}'"
    closed = (f"'{name}'" for one, name in STATUS.items() if one != state)
    return f"ExecutionStatus NOT IN ({', '.join(closed)})"


def begins_at(found: WorkflowExecution) -> datetime | None:
    """Return the end of a start delay, unless an update ends it early; `None` without a delay."""
    # Temporal delays a fast continue-as-new by up to 1 s; this is not a delayed start.
    continues = found.raw_info.first_run_id not in ("", found.run_id)
    begins = found.execution_time
    return None if continues or begins is None or begins <= found.start_time else begins


def state_of(found: WorkflowExecution) -> RunState:
    """Return the state of a listed or described run."""
    return _STATE[found.status.name.replace("_", "")] if found.status else "running"


async def status_of(found: WorkflowExecution) -> RunStatus:
    """Convert a listed or described run to its status; only a described one has pending activities and children."""
    state = state_of(found)
    pending: tuple[PendingCall, ...] = ()
    children: tuple[PendingChild, ...] = ()
    # Temporal still lists pending activities of closed runs.
    if state == "running" and isinstance(found, WorkflowExecutionDescription):
        pending = tuple(
            [
                PendingCall(
                    id=one.activity_id,
                    type=one.activity_type.name,
                    attempt=one.attempt,
                    last_failure=await _message(found, attempt_failure(one.last_failure)),
                    task_queue=one.activity_options.task_queue.name or None,
                    running=one.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
                )
                for one in found.raw_description.pending_activities
            ]
        )
        children = tuple(
            PendingChild(id=one.workflow_id, run_id=one.run_id, workflow=one.workflow_type_name)
            for one in found.raw_description.pending_children
        )
    memos = Memos(found)
    return RunStatus(
        id=found.id,
        run_id=found.run_id,
        workflow=found.workflow_type,
        state=state,
        task_queue=found.task_queue,
        started_at=found.start_time,
        begins_at=begins_at(found),
        closed_at=found.close_time,
        parent=found.parent_id,
        forked_from=await memos.source(),
        paused=is_paused(found),
        events=found.history_length,
        history_bytes=found.raw_info.history_size_bytes,
        tags=await memos.tags(),
        tenant=await memos.tenant(),
        user=await memos.read(USER),
        budget=await memos.read(BUDGET),
        # A run that was terminated, or continued as new, could not clear its memo.
        approvals=await memos.approvals() if state == "running" else (),
        pending=pending,
        children=children,
        stopped=await memos.read(STOP),
        unreadable=memos.problem,
    )


@dataclass(frozen=True)
class Bug:
    """The workflow task failure that blocks a run."""

    error: str
    """Such as `KeyError: 'x'`."""
    place: str | None = None
    """Last place in the user's code, such as `/srv/claims.py:9 in run`."""


async def bug_of(temporal: Client, found: WorkflowExecutionDescription) -> Bug | None:
    """Return the workflow task failure that blocks a run; `None` if it is not blocked."""
    if found.status is not WorkflowExecutionStatus.RUNNING:
        return None
    for event in await last_events(temporal, found.id, found.run_id, _LAST_EVENTS):
        if failed := task_failed(event):
            if failed.cause not in _BUGS:
                return None
            try:
                error = await Payloads(temporal, found.id).failure(failed.failure)
            except Exception:  # of any class, from a codec or converter of the user
                return Bug(failed.failure.message)
            trace = error.failure.stack_trace if isinstance(error, FailureError) and error.failure else ""
            return Bug(named(error), users_place(trace))
        if is_task_end(event):
            return None
    return None


async def _message(found: WorkflowExecution, failure: Failure) -> str | None:
    if failure.HasField("encoded_attributes"):
        with suppress(Exception):  # of any class, from a codec of the user: the rest of the status is known
            error = await found.data_converter.decode_failure(failure)
            return error.message if isinstance(error, (FailureError, LLMFlowError)) else str(error)
    return failure.message or None


async def input_of(temporal: Client, handle: WorkflowHandle[Any, Any]) -> Any:  # Any: JSON, runs of every type
    """Return the input of a run: one value, or several as a list; `None` without input. See `arguments_of`."""
    given = await arguments_of(temporal, handle)
    return given[0] if len(given) == 1 else given or None


async def arguments_of(temporal: Client, handle: WorkflowHandle[Any, Any]) -> list[Any]:  # Any: as above
    """Return the arguments of a run; of a continue-as-new chain, those of its first run."""
    known = (await describe(temporal, handle)).raw_description.workflow_execution_info
    start = await start_of(events_of(temporal, handle.id, known.first_run_id or known.execution.run_id, page=1))
    return await Payloads(temporal, handle.id).read(start.input.payloads)


class Memos:
    """Memos of a run. One that cannot be decoded here is missing, and does not fail a whole list."""

    def __init__(self, run: WorkflowExecution) -> None:
        self._run = run
        self.problem: str | None = None
        """Reason why a memo could not be decoded."""

    async def tags(self) -> tuple[str, ...]:
        """Return the tags."""
        return tuple(await self.read(TAGS) or ())

    async def tenant(self) -> str | None:
        """Return the tenant."""
        return await self.read(TENANT)

    async def source(self) -> str | None:
        """Return the id of the run that a fork was made from."""
        fork = await self.read(FORKED)
        return fork.workflow_id if fork else None

    async def approvals(self) -> tuple[Waiting, ...]:
        """Return the open questions."""
        waiting = await self.read(WAITING)
        return waiting.open if waiting else ()

    async def read(self, memo: Memo[T]) -> T | None:
        """Return a memo; `None` if there is none, or if it cannot be decoded."""
        try:
            value: object = await self._run.memo_value(memo.name, default=None)
            # As JSON, because newer versions may have more fields.
            return None if value is None else _ADAPTERS[memo.name].validate_json(to_json(value))
        except Exception as error:  # of any class, from a codec or converter of the user
            self.problem = unreadable(error, self._run.id).message
            return None


async def stop_of(found: WorkflowExecution) -> Stopped | None:
    """Return the call before which a fork stopped; `None` if it did not."""
    return await Memos(found).read(STOP)


def quoted(text: str) -> str:
    """Quote a text for Temporal's list filter."""
    return "'{}'".format(text.replace("'", "''"))
