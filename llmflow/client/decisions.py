"""Sends decisions to runs."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client as TemporalClient
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
from llmflow.history.executions import describe
from llmflow.types.approvals import Decide, Receipt
from llmflow.types.contracts import DECIDE

_WITHIN = timedelta(seconds=5)
"""Time for a worker to respond. It takes milliseconds, unless it must replay a long history first."""
_FIRST_EVENTS = 10


async def check_begun(temporal: TemporalClient, handle: WorkflowHandle[Any, Any]) -> None:  # Any: runs of every type
    """Refuse decisions for a run with a pending start delay: an update would end the delay.

    Raises:
        NoWorker: the run has not begun; the message says when it does.
        RPCError: Temporal's own.
    """
    found = await describe(temporal, handle)
    begins = begins_at(found)
    if found.status is not WorkflowExecutionStatus.RUNNING or begins is None:
        return
    # An update may have ended the delay early.
    async for event in handle.fetch_history_events(page_size=_FIRST_EVENTS):
        if is_task_scheduled(event):
            return
    raise NoWorker(
        f"run {handle.id!r} has not begun: its delay ends at {begins:%Y-%m-%d %H:%M:%S} UTC, and until then it answers "
        "no query and takes no decision",
        ErrorDetail(retry_after=max(0.0, (begins - datetime.now(UTC)).total_seconds())),
    )


async def send(
    handle: WorkflowHandle[Any, Any],  # Any: runs of every type
    decision: Decide,
    *,
    within: timedelta = _WITHIN,
) -> Receipt:
    """Send a decision by update; if no worker responds `within` that time, by signal, which Temporal stores.

    A slow worker may get both. They say the same for the same person, so the run counts them once.

    Raises:
        ApprovalNotFound: the run has no such open question.
        DecisionRefused: the decision is invalid; the message says why.
        NoWorker: the run has not used llmflow, or its worker does not use LLMFlowPlugin.
        RPCError: Temporal's own.
    """
    try:
        return await handle.execute_update(
            DECIDE.name, decision, id=_update_id(decision), result_type=DECIDE.output, rpc_timeout=within
        )
    except WorkflowUpdateFailedError as error:
        if isinstance(error.cause, LLMFlowError):
            # A copy: the original already is in the chain of causes.
            raise type(error.cause)(error.cause.message, error.cause.detail) from error
        raise NoWorker(
            f"run {handle.id!r} takes no decisions, because its code has not used llmflow, or its worker does not use "
            f"LLMFlowPlugin: {error.cause}"
        ) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        if isinstance(error.__cause__, asyncio.CancelledError):  # the caller's own, which Temporal wraps
            raise error.__cause__ from None
    except RPCError as error:
        if error.status is not RPCStatusCode.RESOURCE_EXHAUSTED:  # too many in-flight updates
            raise
    await handle.signal(DECIDE.name, decision)
    return Receipt(approval=decision.approval, status="open", missing=None, sent=True)


def _update_id(decision: Decide) -> str:
    """An id of this answer alone. Temporal gives all updates of one id the same result, whatever they say."""
    return hashlib.sha256(decision.model_dump_json().encode()).hexdigest()
