"""Time skipping for one run, by the server."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from llmflow.client import Run
from llmflow.errors import ConfigInvalid, ErrorDetail, InputInvalid, RunNotFound
from llmflow.types.lengths import length_of, length_problem

_WITHIN = timedelta(seconds=60)
"""Time limit of work in between, such as activities; a skip itself takes milliseconds."""
_BEYOND = timedelta(seconds=1)
"""Added to each skip. A server of 1.32 skips the next timer too if a run begins to wait for it in the milliseconds in
which a skip ends; with timers of the length of the skip, a second keeps the two apart."""
# A child keeps its own clock: with propagation it would keep skipping, past the moment that the test wants to use.
# The server stops skipping after 200 timers unless told otherwise.
_ONLY_WHEN_TOLD = TimeSkippingConfig(enabled=False, disable_propagation=True, max_session_skip_count=1_000_000)


async def skip(
    temporal: TemporalClient,
    run: Run[Any],  # Any: runs with results of every type
    by: timedelta,
    *,
    within: timedelta = _WITHIN,
) -> None:
    """See `Environment.skip`. `within` is the time limit of work in between."""
    if problem := length_problem("by", by):
        raise InputInvalid(problem, ErrorDetail(field="by"))
    handle = temporal.get_workflow_handle(run.id)  # without a run id: the run that continues it has the same clock
    try:
        async with asyncio.timeout(within.total_seconds()):
            await TimeSkipper(temporal, config=_ONLY_WHEN_TOLD).fast_forward(handle, by + _BEYOND)
    except TimeoutError:
        raise AssertionError(_stands(await handle.describe(), by, within)) from None
    except RPCError as error:
        match error.status:
            case RPCStatusCode.NOT_FOUND if "already completed" in error.message:
                return  # it may end at any moment, so a run that has just ended is not a mistake
            case RPCStatusCode.NOT_FOUND:
                raise RunNotFound(f"there is no run {run.id!r} whose time could be skipped") from error
            case RPCStatusCode.UNIMPLEMENTED | RPCStatusCode.INVALID_ARGUMENT:
                raise _cannot(error) from error
            case _:
                raise


def _cannot(error: RPCError) -> ConfigInvalid:
    return ConfigInvalid(
        f"this Temporal server cannot skip time ({error.message}): it needs server 1.32 or newer with the dynamic "
        "configuration `frontend.WorkflowTimeSkippingEnabled: true`. Unset TEMPORAL_ADDRESS, and llmflow starts one"
    )


def _stands(found: WorkflowExecutionDescription, by: timedelta, within: timedelta) -> str:
    """Explain why the time did not pass. Temporal skips only while a run waits for timers alone."""
    raw = found.raw_description
    waits = [
        *(f"its child {one.workflow_id!r} is open: skip the time of that one" for one in raw.pending_children),
        *(f"its activity {one.activity_id!r} is not done" for one in raw.pending_activities),
    ]
    if raw.HasField("pending_workflow_task"):
        waits.append("no worker takes its workflow task, or its code fails")
    return (
        f"{length_of(by)} did not pass for run {found.id!r} within {length_of(within)}, because a run's clock pauses "
        f"while it waits for anything but timers: {'; '.join(waits) or 'nothing is known to hold it up'}"
    )
