"""A person's answer on its way to a run."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import (
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from llmflow.client.status import begins_at
from llmflow.errors import ErrorDetail, LLMFlowError, NoWorker
from llmflow.history.events import is_task_scheduled
from llmflow.types.approvals import Decide, Receipt
from llmflow.types.contracts import DECIDE

_WITHIN = timedelta(seconds=5)
"""How long a worker may take to answer. It takes milliseconds, unless it has to read a long history first."""
_FIRST_EVENTS = 10


async def check_begun(handle: WorkflowHandle[Any, Any]) -> None:  # Any: runs of every type
    """Keep answers from a run that waits out its delay: an update would begin it at once, without the rest of it.

    Raises:
        NoWorker: it has not begun; says when it does.
        RPCError: Temporal's own.
    """
    found = await handle.describe()
    begins = begins_at(found)
    if found.status is not WorkflowExecutionStatus.RUNNING or begins is None:
        return
    # It may have begun before its time.
    async for event in handle.fetch_history_events(page_size=_FIRST_EVENTS):
        if is_task_scheduled(event):
            return
    raise NoWorker(
        f"run {handle.id!r} has not begun: its delay ends at {begins:%Y-%m-%d %H:%M:%S} UTC, and until then it asks "
        "nothing and takes no answer",
        ErrorDetail(retry_after=max(0.0, (begins - datetime.now(UTC)).total_seconds())),
    )


async def send(handle: WorkflowHandle[Any, Any], decision: Decide) -> Receipt:  # Any: runs of every type
    """By update, which the run answers; and where nobody answers, by signal, which Temporal keeps for the run.

    A worker that was only slow may get both, which is one answer: the run counts what has the same id once.

    Raises:
        ApprovalNotFound: the run asks no such question now.
        DecisionRefused: it does not count; says why.
        NoWorker: it has not used llmflow, or its worker does not use LLMFlowPlugin.
        RPCError: Temporal's own.
    """
    try:
        return await handle.execute_update(
            DECIDE.name, decision, id=decision.id, result_type=DECIDE.output, rpc_timeout=_WITHIN
        )
    except WorkflowUpdateFailedError as error:
        if isinstance(error.cause, LLMFlowError):
            # A new object, because the old one is already the cause of its cause.
            raise type(error.cause)(error.cause.message, error.cause.detail) from error
        raise NoWorker(
            f"run {handle.id!r} takes no decisions, because its code has not used llmflow, or its worker does not use "
            f"LLMFlowPlugin: {error.cause}"
        ) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        if isinstance(error.__cause__, asyncio.CancelledError):  # the caller's own, which Temporal hides in it
            raise error.__cause__ from None
    except RPCError as error:
        if error.status is not RPCStatusCode.RESOURCE_EXHAUSTED:  # too many updates wait for a worker already
            raise
    await handle.signal(DECIDE.name, decision)
    return Receipt(approval=decision.approval, status="open", missing=None, sent=True)
