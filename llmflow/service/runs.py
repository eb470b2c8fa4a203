"""One run: its state, its steps, its waits, its cost. Read once, or repeatedly until the run ends."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from llmflow.client import Client, Run
from llmflow.errors import InputInvalid, NoWorker, PayloadUnreadable, Remedy, RunNotCompleted, RunNotFound
from llmflow.service.approvals import decided
from llmflow.service.connections import Connection
from llmflow.service.obstacles import Obstacle, obstacles
from llmflow.service.workers import need_worker
from llmflow.types.approvals import ApprovalReport, Question
from llmflow.types.base import changed
from llmflow.types.machines import Transition
from llmflow.types.runs import RunState, RunStatus
from llmflow.types.steps import Compensation, StepRecord, StepReport, Wait
from llmflow.types.usage import UsageReport

AnyRun = Run[Any]  # Any: runs with results of every type

EVERY = timedelta(seconds=0.5)
"""Pause between two reads of a run."""
_OF_ONE_TASK = 5  # events: started, a workflow task in three of them, failed


class Report(BaseModel):
    """Everything known about a run."""

    model_config = ConfigDict(frozen=True)

    status: RunStatus
    failure: str | None
    """Its failure, if it did not complete."""
    steps: tuple[StepRecord, ...] | None
    waits: tuple[Wait, ...] = ()
    """Calls that llmflow delays."""
    obstacles: tuple[Obstacle, ...] = ()
    """Task queues without workers, and blocked children, that it waits for."""
    compensations: tuple[Compensation, ...] = ()
    """Compensations of its sagas."""
    transitions: tuple[Transition, ...] = ()
    """Last transitions of its state machines."""
    decided: tuple[Question, ...] = ()
    """Questions to people that are no longer open."""
    usage: UsageReport | None
    missing: str | None
    """Reason why steps or usage are unknown: they need a worker, and all histories."""
    remedy: Remedy | None = None
    """Action that helps with `missing`."""
    url: str | None
    """Its page in the Web UI, if its address is known."""


async def look(connection: Connection, run: AnyRun) -> Report:
    """Report the current state of the run. Without a worker, the report has only what Temporal itself knows.

    Raises:
        RunNotFound: no run has this id.
    """
    status = await run.status()
    progress, usage, approvals, missing, failure = None, None, None, None, None
    try:
        failure = await failure_of(run, status.state)
        if not _never_began(status, failure):  # otherwise there is nothing to query
            await need_worker(connection.client, status)
            # One at a time: a worker without a sticky cache is slow to answer several at once, and may evict one.
            progress, usage, approvals = await run.progress(), await run.usage(), await run.approvals()
    except NoWorker as error:
        missing = error
    except PayloadUnreadable as error:
        status = changed(status, unreadable=error.message)
    return Report(
        status=status,
        failure=failure,
        steps=progress.steps if progress else None,
        waits=progress.waits if progress else (),
        obstacles=await obstacles(connection.client, status),
        compensations=progress.compensations if progress else (),
        transitions=progress.transitions if progress else (),
        decided=decided(approvals) if approvals else (),
        usage=usage,
        missing=missing.message if missing else None,
        remedy=missing.detail.remedy if missing else None,
        url=connection.link(status.id, status.run_id),
    )


async def watch(connection: Connection, run: AnyRun, every: timedelta = EVERY) -> AsyncGenerator[Report]:
    """Report repeatedly; the last report is that of the run's end.

    Raises:
        RunNotFound: no run has this id.
    """
    while (report := await look(connection, run)).status.state == "running":
        yield report
        await asyncio.sleep(every.total_seconds())
    yield report


async def with_children(run: AnyRun, report: Report) -> Report:
    """Add the usage of everything below the run: the cost of a whole fork. Unknown if Temporal deleted a part of it."""
    if report.usage is None:
        return report
    try:
        return changed(report, usage=await run.tree_usage())
    except NoWorker as error:
        return changed(report, usage=None, missing=error.message, remedy=error.detail.remedy)
    except RunNotFound:
        gone = "Temporal has deleted a history of this run or of a child, so its usage is unknown"
        return changed(report, usage=None, missing=gone)


async def usage_of(client: Client, id: str) -> UsageReport:
    """Return tokens and money of a run.

    Raises:
        NoWorker: no worker can answer.
        RunNotFound: no run has this id.
    """
    run = client.run(id)
    await need_worker(client, await run.status())
    return await run.usage()


async def steps_of(client: Client, id: str) -> tuple[StepReport, ApprovalReport, str | None]:
    """Return steps and questions of a run, and its failure, if it failed.

    Raises:
        NoWorker: no worker can answer.
        RunNotFound: no run has this id.
    """
    run = client.run(id)
    status = await run.status()
    await need_worker(client, status)
    # One at a time: a worker without a sticky cache is slow to answer several at once, and may evict one.
    return await run.progress(), await run.approvals(), await failure_of(run, status.state)


async def failure_of(run: AnyRun, how: RunState) -> str | None:
    """Return the failure of a run in this state, if it did not complete."""
    if how in ("running", "completed"):
        return None
    try:
        await run.result()
    except RunNotCompleted as error:
        return error.message
    return None


def _never_began(status: RunStatus, failure: str | None) -> bool:
    return status.events <= _OF_ONE_TASK and f"{InputInvalid.__name__}: the value does not fit " in (failure or "")
