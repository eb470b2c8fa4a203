"""One run: its state, its steps, what it waits for, what it has cost. Once, or at each look until it ends."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from llmflow.client import Client, Run
from llmflow.errors import InputInvalid, NoWorker, Remedy, RunNotCompleted
from llmflow.service.approvals import decided
from llmflow.service.connections import Connection
from llmflow.service.workers import need_worker
from llmflow.types.approvals import ApprovalReport, Question
from llmflow.types.machines import Transition
from llmflow.types.runs import RunState, RunStatus
from llmflow.types.steps import Compensation, StepRecord, StepReport, Wait
from llmflow.types.usage import UsageReport

AnyRun = Run[Any]  # Any: runs with results of every type

EVERY = timedelta(seconds=0.5)
"""Between two looks at a run."""
_OF_ONE_TASK = 5  # events: started, a workflow task in three of them, failed


class Report(BaseModel):
    """All that is known of a run."""

    model_config = ConfigDict(frozen=True)

    status: RunStatus
    failure: str | None
    """How it ended, if not well."""
    steps: tuple[StepRecord, ...] | None
    waits: tuple[Wait, ...] = ()
    """Calls that llmflow holds back by itself."""
    compensations: tuple[Compensation, ...] = ()
    """Of its sagas."""
    transitions: tuple[Transition, ...] = ()
    """Of its state machines, the last ones."""
    decided: tuple[Question, ...] = ()
    """What people were asked and are not any more."""
    usage: UsageReport | None
    missing: str | None
    """Why steps and usage are not known: they need a worker."""
    remedy: Remedy | None = None
    """What would help with `missing`."""
    url: str | None
    """Its page in the Web UI, if its address is known."""


async def look(connection: Connection, run: AnyRun) -> Report:
    """Report on the run as it is now. Without a worker, that is what Temporal itself knows.

    Raises:
        RunNotFound: no run has this id.
    """
    status = await run.status()
    progress, usage, approvals, missing = None, None, None, None
    failure = await failure_of(run, status.state)
    try:
        if not _never_began(status, failure):  # then there is nothing to ask
            await need_worker(connection.client, status)
            # One after the other: a worker that keeps no runs is slow to answer several at once, and may forget one.
            progress, usage, approvals = await run.progress(), await run.usage(), await run.approvals()
    except NoWorker as error:
        missing = error
    return Report(
        status=status,
        failure=failure,
        steps=progress.steps if progress else None,
        waits=progress.waits if progress else (),
        compensations=progress.compensations if progress else (),
        transitions=progress.transitions if progress else (),
        decided=decided(approvals) if approvals else (),
        usage=usage,
        missing=missing.message if missing else None,
        remedy=missing.detail.remedy if missing else None,
        url=connection.link(status.id, status.run_id),
    )


async def watch(connection: Connection, run: AnyRun, every: timedelta = EVERY) -> AsyncGenerator[Report]:
    """Look again and again; the last report is that of the run's end.

    Raises:
        RunNotFound: no run has this id.
    """
    while (report := await look(connection, run)).status.state == "running":
        yield report
        await asyncio.sleep(every.total_seconds())
    yield report


async def with_children(run: AnyRun, report: Report) -> Report:
    """Add the usage of everything below the run: what a whole fork has cost."""
    if report.usage is None:
        return report
    try:
        return report.model_copy(update={"usage": await run.tree_usage()})
    except NoWorker as error:
        return report.model_copy(
            update={"usage": None, "missing": error.message, "remedy": error.detail.remedy},
        )


async def usage_of(client: Client, id: str) -> UsageReport:
    """Tokens and money of a run.

    Raises:
        NoWorker: no worker can answer.
        RunNotFound: no run has this id.
    """
    run = client.run(id)
    await need_worker(client, await run.status())
    return await run.usage()


async def steps_of(client: Client, id: str) -> tuple[StepReport, ApprovalReport, str | None]:
    """Steps and questions of a run, and how it failed, if it did.

    Raises:
        NoWorker: no worker can answer.
        RunNotFound: no run has this id.
    """
    run = client.run(id)
    status = await run.status()
    await need_worker(client, status)
    # One after the other: a worker that keeps no runs is slow to answer several at once, and may forget one.
    return await run.progress(), await run.approvals(), await failure_of(run, status.state)


async def failure_of(run: AnyRun, how: RunState) -> str | None:
    """How a run in this state ended, if not well."""
    if how in ("running", "completed"):
        return None
    try:
        await run.result()
    except RunNotCompleted as error:
        return error.message
    return None


def _never_began(status: RunStatus, failure: str | None) -> bool:
    return status.events <= _OF_ONE_TASK and f"{InputInvalid.__name__}: the value does not fit " in (failure or "")
