"""From a contract to an activity: names, limits, sizes, and errors that come back typed."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import Priority, RawValue, RetryPolicy
from temporalio.exceptions import ActivityError

from llmflow.errors import LLMFlowError
from llmflow.flow.run import current, this_task
from llmflow.types.calls import CallOptions
from llmflow.types.contracts import Activity

In = TypeVar("In")
Out = TypeVar("Out")

ATTEMPT = timedelta(minutes=10)
"""Of a call that says nothing else: enough for a reasoning model."""
ATTEMPTS = 4
"""As above. A retry waits 1, 2, 4 s, or what the vendor says."""
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
"""As above. A live worker beats several times as often."""


async def execute(
    contract: Activity[In, Out],
    request: In,
    *,
    verb: str,
    options: CallOptions,
    summary: str | None = None,
    arrived: Callable[[Out], None] | None = None,
) -> tuple[str, Out]:
    """Schedule the activity of `contract`; its id (`path/verb#n`) and its result.

    On cancellation, wait until the activity has ended, then raise. A late result is passed to `arrived` (it may have
    cost money) and dropped.

    Raises:
        LLMFlowError: of the class that the activity raised, or PayloadTooLarge before anything is scheduled.
        ActivityError: Temporal's own, for timeouts, and errors that are not ours.
    """
    run = current()
    payload = workflow.payload_converter().to_payloads([request])[0]
    async with run.admission.places:
        await run.admission.admit(payload.ByteSize())
        address = run.steps.address(verb)
        with run.branches.working(), typed_errors(), ends_if_cancelled():
            result: Out = await workflow.execute_activity(
                contract.name,
                RawValue(payload),
                result_type=contract.output,
                activity_id=address,
                summary=summary,
                task_queue=options.task_queue,
                start_to_close_timeout=options.start_to_close_timeout or ATTEMPT,
                schedule_to_close_timeout=options.schedule_to_close_timeout,
                heartbeat_timeout=options.heartbeat_timeout or HEARTBEAT_TIMEOUT,
                retry_policy=options.retry_policy or RetryPolicy(maximum_attempts=ATTEMPTS),
                priority=options.priority or Priority.default,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
            if arrived:
                arrived(result)
    return address, result


@contextmanager
def ends_if_cancelled() -> Generator[None]:
    """Raise CancelledError where the task was cancelled while it waited for an activity or a child.

    Temporal makes an ActivityError of a cancellation, which a time limit around the call does not know for its own; and
    none at all if the activity ended before the cancellation reached it, so that the task would go on.
    """
    task = this_task()
    before = task.cancelling()
    try:
        yield
    except Exception as error:  # of whatever class: nobody waits for it any more
        if task.cancelling() > before:
            raise asyncio.CancelledError from error
        raise
    if task.cancelling() > before:
        raise asyncio.CancelledError


@contextmanager
def typed_errors() -> Generator[None]:
    """Raise the error of ours that an activity failed with, instead of Temporal's wrapper around it."""
    try:
        yield
    except ActivityError as error:
        if isinstance(error.cause, LLMFlowError):
            # A new object, because the old one is already the cause of its cause.
            raise type(error.cause)(error.cause.message, error.cause.detail) from error
        raise
