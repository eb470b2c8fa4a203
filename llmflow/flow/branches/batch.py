"""The workflow of a batch, started by `batches`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from pydantic import JsonValue
from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import FailureError

from llmflow.errors import ErrorDetail, InputInvalid, PayloadTooLarge
from llmflow.flow.branches.batches import VALUE_BYTES, as_failure, as_json, read
from llmflow.flow.branches.branches import Outcome, run_items
from llmflow.flow.branches.differences import differences
from llmflow.flow.branches.tally import count
from llmflow.flow.functions import function_at, is_method, kinds_of
from llmflow.flow.misfits import block
from llmflow.flow.run import CurrentRun, current, key, path
from llmflow.flow.steps import recorded
from llmflow.flow.tools import call
from llmflow.types import wire
from llmflow.types.addresses import joined
from llmflow.types.batches import Batch, BatchResult, Failure, packed, unpacked
from llmflow.types.contracts import SPENT
from llmflow.types.usage import Totals

HISTORY_BYTES = 2_500_000
"""History size from which a batch starts no more items; its in-flight items may still double the history."""


@workflow.defn(name=wire.BATCH)
class Batches:
    """The workflow of a batch. On a versioned worker it has the worker's default versioning behavior."""

    @workflow.run
    async def run(self, batch: Batch, input: bytes) -> BatchResult:
        """See `run_batch`. The interceptor has read the input: that of the run that fans out."""
        return await run_batch(batch)


@workflow.defn(name=wire.BATCH, versioning_behavior=VersioningBehavior.PINNED)
class PinnedBatches:
    """`Batches` for a versioned worker without a default: a batch ends on the code that started it."""

    @workflow.run
    async def run(self, batch: Batch, input: bytes) -> BatchResult:
        """See `run_batch`. The interceptor has read the input: that of the run that fans out."""
        return await run_batch(batch)


async def run_batch(batch: Batch) -> BatchResult:
    """Process a batch until it is done, or until the child's history or result is full.

    Raises:
        Exception: with `on_error="raise"`, the error of an item.
    """
    run = current()
    results = _Results(batch)
    path.set(batch.path[:-1])
    key.set(batch.key)
    try:
        async with recorded(batch.path[-1], total=batch.count, is_told=False) as step:

            def ended(outcome: Outcome[bytes]) -> None:
                count(step, outcome)
                results.add(outcome)

            await run_items(
                unpacked(batch.items),
                await _over_json(batch.function, run.object),
                first=batch.first,
                limit=batch.limit,
                labels=[str(one) for one in unpacked(batch.labels)] if batch.labels else None,
                ended=ended,
                full=results.full,
            )
    except (Exception, asyncio.CancelledError):
        await _tell_parent(run)
        raise
    return results.all(run, await _changed(batch, run))


async def _changed(batch: Batch, run: CurrentRun) -> Sequence[str]:
    """Name the attributes of the workflow object that the items changed."""
    return differences(run.object, (await run.begun()).fresh()) if is_method(batch.function) else ()


async def _over_json(address: str, owner: object) -> Callable[[JsonValue], Awaitable[bytes]]:
    """Wrap the function at an address into one from JSON to JSON."""
    function = function_at(address, owner)
    if function is None:
        await block(joined(path.get()), f"this worker's code has no `{address}`")
    kinds = kinds_of(function)

    async def over_json(item: JsonValue) -> bytes:
        try:
            return as_json(await call(function, await read(kinds.item, item, joined(path.get()))))
        except workflow.ContinueAsNewError:
            raise InputInvalid(
                f"`{address}` continues as new: only the workflow itself may do that, not an item"
            ) from None

    return over_json


class _Results:
    """The results for the parent, and their size so far."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._values: dict[int, bytes] = {}
        self._failures: dict[int, Failure] = {}
        self._bytes = self._largest = 0

    def add(self, outcome: Outcome[bytes]) -> None:
        error, data = outcome.error, outcome.value or b"null"
        if error is None and self._bytes + len(data) > VALUE_BYTES:
            error = PayloadTooLarge(
                f"the results of a batch are too large together, by this one of {len(data):,} bytes: return a"
                " reference (a path, a URL, an id) instead of the content, or lower `limit`",
                ErrorDetail(size=len(data)),
            )
        if error is None:
            self._values[outcome.index] = data
        elif self._batch.on_error == "raise":
            raise error
        else:
            self._failures[outcome.index] = failure = as_failure(error)
            data = failure.model_dump_json().encode()
        self._bytes += len(data)
        self._largest = max(self._largest, len(data))

    def full(self) -> bool:
        """Return True if the remaining items should go to another child."""
        if not self._bytes:
            return False
        info = workflow.info()
        return (
            self._bytes + self._batch.limit * self._largest > VALUE_BYTES
            or info.is_continue_as_new_suggested()
            or info.get_current_history_size() > HISTORY_BYTES
        )

    def all(self, run: CurrentRun, changed: Sequence[str]) -> BatchResult:
        return BatchResult(
            done=len(self._values) + len(self._failures),
            values=packed(self._values[index] for index in sorted(self._values)),
            failures=self._failures,
            learned=run.for_parent(),
            changed=tuple(changed),
        )


async def _tell_parent(run: CurrentRun) -> None:
    """Signal the usage to the parent: a child that fails or is cancelled has no result to carry it."""
    usage, parent = run.totals.usage, workflow.info().parent
    if parent and (usage.total != Totals() or usage.taken.calls):
        handle: workflow.ExternalWorkflowHandle[Any] = workflow.get_external_workflow_handle(  # Any: of any type
            parent.workflow_id, run_id=parent.run_id
        )
        with suppress(FailureError):  # the parent is closed
            await handle.signal(SPENT.name, usage)
