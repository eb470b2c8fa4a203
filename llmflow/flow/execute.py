"""Schedules activities of contracts: ids, timeouts, sizes, typed errors, and calls made again elsewhere."""

import asyncio
import dataclasses
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import Priority, RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from llmflow.errors import ConfigInvalid, ErrorDetail, LLMFlowError, ToolNotFound
from llmflow.flow.failures import unwritable_is_invalid
from llmflow.flow.pauses import pause_after
from llmflow.flow.run import current, elsewhere, held, label, this_task, undoing
from llmflow.types import wire
from llmflow.types.calls import UNSERVED, CallOptions
from llmflow.types.contracts import Activity

In = TypeVar("In")
Out = TypeVar("Out")

ATTEMPT = timedelta(minutes=10)
"""Default `start_to_close_timeout`: enough for a reasoning model."""
ATTEMPTS = 4
"""Default attempts. Retries wait 1, 2, 4 s, or as long as the vendor asks."""
HEARTBEAT_TIMEOUT = timedelta(seconds=30)
"""Default heartbeat timeout. A worker sends a heartbeat every 10 seconds at least, and may be busy for some more."""
PATIENCE = timedelta(minutes=90)
"""Time in which a call is made again because no worker had what it needs, unless it has a `schedule_to_close_timeout`.
"""
_SHORT = timedelta(seconds=10)
"""Time limit of an attempt that only reads."""
LONGEST_PAUSE = 60.0
"""Seconds. The pauses before such a call double from 1 s."""


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

    If the worker that takes it lacks what it needs, such as a tool or a model, the run pauses and makes the same call
    again, for any worker. That uses no attempt of the retry policy.

    On cancellation, wait until the activity has ended, then raise. A late result is passed to `arrived` (it may have
    cost money) and dropped.

    Raises:
        LLMFlowError: an error of the activity, in its own class; or PayloadTooLarge before anything is scheduled.
        ActivityError: Temporal's own, for timeouts and for errors that are not llmflow's.
    """
    run, asks = current(), _Asks(options)
    with unwritable_is_invalid():
        payload, size = run.admission.measured(request)
    address: str | None = None
    while True:
        try:
            async with run.admission.places:
                await run.admission.admit(size)
                address = address or run.steps.address(verb)
                with run.branches.working(), asks.elsewhere(), typed_errors(contract.name), ends_if_cancelled():
                    result: Out = await workflow.execute_activity(
                        contract.name,
                        RawValue(payload),
                        result_type=contract.output,
                        activity_id=address,
                        summary=": ".join(one for one in (label.get(), summary) if one) or None,
                        task_queue=options.task_queue or run.calls_queue,
                        start_to_close_timeout=options.start_to_close_timeout or ATTEMPT,
                        schedule_to_close_timeout=asks.time_left(),
                        heartbeat_timeout=options.heartbeat_timeout or HEARTBEAT_TIMEOUT,
                        retry_policy=_final_if_unserved(options.retry_policy or RetryPolicy(maximum_attempts=ATTEMPTS)),
                        priority=options.priority or Priority.default,
                        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                    )
                    if arrived:
                        arrived(result)
            return address, result
        except LLMFlowError as error:
            lacking = error
        await asks.again(lacking)


class _Asks:
    """The calls of one activity that workers refuse, because they lack what it needs."""

    def __init__(self, options: CallOptions) -> None:
        self._limit = options.schedule_to_close_timeout
        self._began = workflow.now()
        self._refused = 0

    def time_left(self) -> timedelta | None:
        """Return the rest of the call's `schedule_to_close_timeout`."""
        if self._limit is None or not self._refused:
            return self._limit
        return max(self._end() - workflow.now(), timedelta(seconds=1))

    def elsewhere(self) -> AbstractContextManager[None]:
        """Ask all workers of the queue alike: Temporal gives a call eagerly to the one that runs the workflow code."""
        return held(elsewhere, self._refused > 0)

    async def again(self, error: LLMFlowError) -> None:
        """Wait before the call is made again; raise the error if another worker cannot help, or the time is up."""
        seconds = min(2.0**self._refused, LONGEST_PAUSE)
        is_over = undoing.get() or workflow.now() + timedelta(seconds=seconds) >= self._end()  # a saga waits by itself
        if is_over or not error.detail.elsewhere:
            raise error
        self._refused += 1
        await pause_after(error, seconds)

    def _end(self) -> datetime:
        return self._began + (self._limit or PATIENCE)


async def execute_local(contract: Activity[In, Out], request: In) -> Out:
    """Run the activity of `contract` on this worker, for one history event: it reads memory and, at most, the store.

    If this worker lacks what it needs, any worker may run it, as an activity of the task queue.

    Raises:
        LLMFlowError: an error of the activity, in its own class.
        ActivityError: Temporal's own, for timeouts and for errors that are not llmflow's.
    """
    retries = patient()
    try:
        with typed_errors(contract.name), ends_if_cancelled():
            result: Out = await workflow.execute_local_activity(
                contract.name,
                request,
                result_type=contract.output,
                start_to_close_timeout=_SHORT,
                retry_policy=_final_if_unserved(retries),
                local_retry_threshold=timedelta(seconds=5),  # longer pauses are timers, which occupy no worker
            )
        return result
    except LLMFlowError as error:
        if not error.detail.elsewhere:
            raise
    options = CallOptions(start_to_close_timeout=_SHORT, retry_policy=retries)
    _, found = await execute(contract, request, verb=contract.name.removeprefix(f"{wire.PREFIX}."), options=options)
    return found


async def execute_local_tool(contract: Activity[In, Out], request: In, options: CallOptions) -> Out:
    """Run the activity of a tool on this worker, for one history event and without a queue.

    Raises:
        LLMFlowError: an error of the activity, in its own class; ToolNotFound if this worker does not serve it.
        ActivityError: Temporal's own, for timeouts and for errors that are not llmflow's.
    """
    run = current()
    with unwritable_is_invalid():
        payload, _ = run.admission.measured(request)
    with run.branches.working(), typed_errors(contract.name), ends_if_cancelled():
        result: Out = await workflow.execute_local_activity(
            contract.name,
            RawValue(payload),
            result_type=contract.output,
            activity_id=run.steps.address(contract.name),
            start_to_close_timeout=options.start_to_close_timeout or ATTEMPT,
            schedule_to_close_timeout=options.schedule_to_close_timeout,
            retry_policy=_final_if_unserved(options.retry_policy or RetryPolicy(maximum_attempts=ATTEMPTS)),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
    return result


def patient() -> RetryPolicy:
    """Return a policy for calls of the store alone, which may be unavailable: as long as a completion's, 90 minutes."""
    return RetryPolicy(maximum_interval=timedelta(seconds=30), maximum_attempts=200)


def _final_if_unserved(policy: RetryPolicy) -> RetryPolicy:
    """Return a policy that spends no attempts on workers without the activity."""
    final = [*(policy.non_retryable_error_types or ()), UNSERVED]
    return dataclasses.replace(policy, non_retryable_error_types=final)


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
def typed_errors(activity: str) -> Generator[None]:
    """Unwrap an llmflow error of an activity from Temporal's ActivityError; an activity nobody serves has one, too."""
    try:
        yield
    except ActivityError as error:
        if isinstance(error.cause, LLMFlowError):
            # A copy: the original already is in the chain of causes.
            raise type(error.cause)(error.cause.message, error.cause.detail) from error
        if _is_unserved(error.cause, activity):
            raise _unserved(activity) from error
        raise


def _is_unserved(cause: BaseException | None, activity: str) -> bool:
    is_not_found = isinstance(cause, ApplicationError) and cause.type == UNSERVED
    return is_not_found and f"Activity function {activity} " in str(cause)


def _unserved(activity: str) -> LLMFlowError:
    detail = ErrorDetail(elsewhere=True)
    if activity.startswith(f"{wire.PREFIX}."):
        return ConfigInvalid(f"no worker here serves activity {activity!r}: give their client an LLMFlowPlugin", detail)
    return ToolNotFound(f"no worker here serves tool {activity!r}: add it to its App(tools=[...])", detail)
