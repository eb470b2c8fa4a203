"""Batches: a fan-out of more items than one history should hold, in child workflows `llmflow.batch`."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from zlib import compress

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_core import to_json
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

from llmflow.errors import BY_CODE, CompensationFailed, ErrorDetail, InputInvalid, LLMFlowError, PayloadTooLarge
from llmflow.flow.branches.branches import Outcome, finished, together
from llmflow.flow.functions import is_method, kinds_of
from llmflow.flow.misfits import block
from llmflow.flow.run import batch, current, key, path, this_task
from llmflow.types import wire
from llmflow.types.addresses import branched, joined
from llmflow.types.base import unwritable
from llmflow.types.batches import Batch, BatchResult, Failure, OnError, packed, unpacked
from llmflow.types.problems import described

T = TypeVar("T")
R = TypeVar("R")
AnyChild = workflow.ChildWorkflowHandle[Any, BatchResult]  # Any: a child started by name

# Open runs were cut by these numbers: a change of one of the first three needs `workflow.patched`.
BATCH_ITEMS = 500
"""Upper limit of items of a batch, and of a fan-out without batches."""
BATCH_BYTES = 400_000
"""Upper limit of bytes of all items of a batch; each item is in two histories."""
LANES = 4
"""Concurrent children. One run makes some hundred calls a second, several runs make more."""
VALUE_BYTES = 1_400_000
"""Upper limit of bytes of an item or a result: that of a payload, minus room for its envelope. The run's input and an
item together have the same limit, because Temporal adds up all that a child starts with."""


async def run_batches(
    items: Sequence[T],
    function: Callable[[T], Awaitable[R]],
    address: str,
    *,
    limit: int,
    labels: Sequence[str] | None,
    on_error: OnError,
    ended: Callable[[Outcome[R]], None],
) -> None:
    """Do the same as `run_items`, with the items in children.

    Raises:
        InputInvalid: the function has no annotations, or an item cannot be written as JSON.
        PayloadTooLarge: the run's input leaves no room for items, or an item exceeds the room.
    """
    result_type = kinds_of(function).result
    spans = deque([range(len(items))])
    here, shared = path.get(), key.get()
    input = await _input() if is_method(address) else b""
    room = VALUE_BYTES - len(input)
    packed_input = compress(input)  # each batch has it, in the history of this run

    def labelled(outcome: Outcome[R]) -> None:
        ended(replace(outcome, label=labels[outcome.index]) if labels else outcome)

    async def work(width: int, most: int) -> None:
        span = spans.popleft()
        cut = _cut(items, span[:most], room)
        if rest := span[len(cut) :]:
            spans.appendleft(rest)
        part = Batch(
            function=address,
            items=packed(cut),
            labels=packed(map(to_json, labels[span.start : span.start + len(cut)])) if labels else None,
            count=len(cut),
            first=span.start,
            path=here,
            limit=width,
            on_error=on_error,
            key=shared,
        )
        done = await _in_child(part, packed_input, result_type, labelled)
        if left := range(span.start + done, span.start + len(cut)):
            spans.appendleft(left)

    async def lane(width: int) -> None:
        while spans:
            await work(width, BATCH_ITEMS)

    # The first child is small and runs alone: it pins the prompt versions that all others then use.
    await together([work(limit, min(limit, BATCH_ITEMS))])
    lanes = min(LANES, limit)
    await together([lane(limit // lanes + (number < limit % lanes)) for number in range(lanes)])


async def _input() -> bytes:
    """Encode the run's input, from which a child makes the object for a method.

    Raises:
        PayloadTooLarge: it leaves no room for a batch.
    """
    arguments = (await current().begun()).arguments
    data = workflow.payload_converter().to_payloads_wrapper(arguments).SerializeToString()
    if len(data) > (most := VALUE_BYTES - BATCH_BYTES):
        raise PayloadTooLarge(
            f"the workflow's input of {len(data):,} bytes is too large for a fan-out of a method in child workflows (at"
            f" most {most:,}), which get it too: pass a reference (a path, a URL, an id) instead of the content, or"
            " give a function of a module, which does without the input",
            ErrorDetail(size=len(data)),
        )
    return data


def _cut(items: Sequence[object], span: range, room: int) -> list[bytes]:
    """Encode the first items of a span as JSON: as many as a batch may hold, and at least one."""
    cut: list[bytes] = []
    size = 0
    for index in span:
        data = as_json(items[index], room)
        size += len(data)
        if cut and size > BATCH_BYTES:
            break
        cut.append(data)
    return cut


def as_json(value: object, most: int = VALUE_BYTES) -> bytes:
    """Encode an item or a result for another run.

    Raises:
        InputInvalid: the value cannot be written as JSON.
        PayloadTooLarge: the value has more than `most` bytes.
    """
    try:
        data = to_json(value)
    except ValueError as error:
        raise InputInvalid(f"a {type(value).__name__} cannot be written as JSON: {unwritable(error)}") from None
    if len(data) > most:
        raise PayloadTooLarge(
            f"a {type(value).__name__} of {len(data):,} bytes is too large to cross to another run (at most"
            f" {most:,}): pass a reference (a path, a URL, an id) instead of the content",
            ErrorDetail(size=len(data)),
        )
    return data


async def _in_child(part: Batch, input: bytes, result_type: TypeAdapter[R], ended: Callable[[Outcome[R]], None]) -> int:
    """Run a batch in a child and return the number of finished items."""
    task, run = this_task(), current()
    span = range(part.first, part.first + part.count)
    try:
        with run.branches.working():
            result = await _child(part, input)
    except ChildWorkflowError as error:
        if task.cancelling():
            raise asyncio.CancelledError from error
        if part.on_error == "raise" or isinstance(error.cause, CompensationFailed):
            raise _cause(error) from error
        for index in span:
            ended(Outcome[R](index=index, error=error))
        return len(span)
    run.learn(result.learned)
    if result.changed:
        raise InputInvalid(
            f"items of a fan-out change {', '.join(f'`self.{name}`' for name in result.changed)}, which is lost: above"
            f" {BATCH_ITEMS} items `{part.function}` is called on a new object in each child. Return the value from"
            f" `{part.function}`, and set the attribute from the results of `fan_out`",
            ErrorDetail(field="function"),
        )
    if task.cancelling():  # the child finished before the cancellation reached it
        raise asyncio.CancelledError
    values, here = iter(unpacked(result.values)), part.path
    for index in span[: result.done]:
        if failure := result.failures.get(index):
            ended(Outcome[R](index=index, error=_error(failure)))
        else:
            ended(Outcome(index=index, value=await read(result_type, next(values), branched(joined(here), index))))
    return result.done


async def _child(part: Batch, input: bytes) -> BatchResult:
    # In a task that is never cancelled: Temporal would not await a child whose start is cancelled.
    starting = asyncio.create_task(_started(part, input))
    cancelled = await finished(starting)
    child = starting.result()
    if cancelled:
        child.cancel()
    return await child


async def _started(part: Batch, input: bytes) -> AnyChild:
    info = workflow.info()
    batch.set(part)  # of this task alone
    return await workflow.start_child_workflow(
        wire.BATCH,
        args=[part, input],
        id=joined((info.workflow_id, part.span)),
        result_type=BatchResult,
        cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,  # sagas in it are undone
        static_summary=part.span,
    )


async def read(type: TypeAdapter[R], value: JsonValue, where: str) -> R:
    """Decode an item or a result of another run. One that does not fit blocks this run."""
    try:
        # JSON mode, because strict types accept more from JSON than from Python, such as a date as text.
        return type.validate_json(to_json(value))
    except ValidationError as error:
        await block(where, f"the value does not fit {error.title}: {described(error)}")


def _cause(error: ChildWorkflowError) -> BaseException:
    """Return the function's error in the child, or the failure of the child itself, such as a termination."""
    cause = error.cause
    if isinstance(cause, LLMFlowError):
        return type(cause)(cause.message, cause.detail)  # a copy: the original already is in the chain of causes
    return cause if isinstance(cause, ActivityError | ApplicationError | ChildWorkflowError) else error


def as_failure(error: BaseException) -> Failure:
    """Convert an error to data for another run."""
    if isinstance(error, ActivityError | ChildWorkflowError) and error.cause:
        error = error.cause
    if isinstance(error, LLMFlowError):
        return Failure(type=error.code(), message=error.message, detail=error.detail)
    if isinstance(error, ApplicationError):
        return Failure(type=error.type or "ApplicationError", message=error.message)
    return Failure(type=type(error).__name__, message=str(error))


def _error(failure: Failure) -> Exception:
    if known := BY_CODE.get(failure.type):
        return known(failure.message, failure.detail)
    return ApplicationError(failure.message, type=failure.type, non_retryable=True)
