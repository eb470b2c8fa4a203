"""Schedules activities of contracts: ids, timeouts, sizes, and typed errors."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import Priority, RawValue, RetryPolicy
from temporalio.exceptions import ActivityError

from llmflow.errors import LLMFlowError
from llmflow.flow.failures import unwritable_is_invalid
from llmflow.flow.run import current, label, this_task
from llmflow.types.calls import CallOptions
from llmflow.types.contracts import Activity
from llmflow.types.wire import calls_queue

In = TypeVar("In")
Out = TypeVar("Out")

ATTEMPT = timedelta(minutes=10)
"""Default `start_to_close_timeout`: enough for a reasoning model."""
ATTEMPTS = 4
"""Default attempts. Retries wait 1, 2, 4 s, or as long as the vendor asks."""
HEARTBEAT_TIMEOUT = timedelta(seconds=30)
"""Default heartbeat timeout. A worker sends a heartbeat every 10 seconds at least, and may be busy for some more."""


async def execute(
    contract: Activity[In, Out],
    request: In,
    *,
    verb: str,
    options: CallOptions,
    summary: str | None = None,
    arrived: Callable[[Out], None] | None = None,
) -> tuple[str, Out]:
    """Run the activity of `contract`; return its id (`path/verb#n`) and its result.

    On cancellation, wait until the activity has ended, then raise. A late result is passed to `arrived` (it may have
    cost money) and dropped.

    Raises:
        LLMFlowError: an error of the activity, in its own class; or PayloadTooLarge before anything is scheduled.
        ActivityError: Temporal's own, for timeouts and for errors that are not llmflow's.
    """
    run = current()
    with unwritable_is_invalid():
        payload, size = run.admission.measured(request)
    async with run.admission.places:
        await run.admission.admit(size)
        address = run.steps.address(verb)
        with run.branches.working(), typed_errors(), ends_if_cancelled():
            result: Out = await workflow.execute_activity(
                contract.name,
                RawValue(payload),
                result_type=contract.output,
                activity_id=address,
                summary=": ".join(one for one in (label.get(), summary) if one) or None,
                task_queue=options.task_queue or calls_queue(workflow.info().task_queue),
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


async def execute_local(contract: Activity[In, Out], request: In) -> Out:
    """Run the activity of `contract` on this worker, for one history event: it reads memory and, at most, the store.

    Raises:
        LLMFlowError: an error of the activity, in its own class.
        ActivityError: Temporal's own, for timeouts and for errors that are not llmflow's.
    """
    with typed_errors(), ends_if_cancelled():
        result: Out = await workflow.execute_local_activity(
            contract.name,
            request,
            result_type=contract.output,
            start_to_close_timeout=timedelta(seconds=10),
            # The store may be unavailable: retry for as long as a completion does, an hour and a half.
            retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30), maximum_attempts=200),
            local_retry_threshold=timedelta(seconds=5),  # longer pauses are timers, which occupy no worker
        )
    return result


@contextmanager
def ends_if_cancelled() -> Generator[None]:
    """Raise CancelledError if the task was cancelled while it awaited an activity or a child.

    Temporal raises an ActivityError for a cancellation, which `asyncio.timeout` around the call does not recognize as
    its own. If the activity ends before the cancellation reaches it, Temporal raises nothing and the task would go on.
    """
    task = this_task()
    before = task.cancelling()
    try:
        yield
    except Exception as error:  # of any class: the cancelled caller drops it
        if task.cancelling() > before:
            raise asyncio.CancelledError from error
        raise
    if task.cancelling() > before:
        raise asyncio.CancelledError


@contextmanager
def typed_errors() -> Generator[None]:
    """Unwrap an llmflow error of an activity from Temporal's ActivityError."""
    try:
        yield
    except ActivityError as error:
        if isinstance(error.cause, LLMFlowError):
            # A copy: the original already is in the chain of causes.
            raise type(error.cause)(error.cause.message, error.cause.detail) from error
        raise
