"""Forks of one run or of all runs of a filter, and the outcomes of the new runs."""

import asyncio
from contextlib import suppress
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from llmflow.client.errors import readable_errors
from llmflow.client.forks import Changes
from llmflow.client.pins import pinned
from llmflow.client.plans import plan_fork
from llmflow.errors import LLMFlowError, RunNotCompleted
from llmflow.service.connections import Connection
from llmflow.service.runs import AnyRun, Report, look, with_children
from llmflow.types.base import changed
from llmflow.types.contracts import RESOLVE
from llmflow.types.forks import Stopped
from llmflow.types.plans import Plan
from llmflow.types.usage import UsageReport

Options = dict[str, Any]  # Any: of `Run.fork`, which have several types

_AT_ONCE = 10  # histories read at a time, if many runs are forked
_PAGE = 1000
_LOOKS = 15  # to see if a new run fails at once
_EVERY = 0.2  # seconds between two checks


class Forked(BaseModel):
    """One new run; if it was awaited, or failed at once, with its outcome."""

    model_config = ConfigDict(frozen=True)

    source: str
    """Run that was forked."""
    id: str
    run_id: str | None
    url: str | None = None
    state: str | None = None
    result: Any = None  # Any: the result of the user's workflow
    failure: str | None = None
    stopped: Stopped | None = None
    """The call before which it stopped: an effect, or where it was told to."""
    usage: UsageReport | None = None
    """Usage with that of its children: `taken` is reused from the old run, `total` is paid by the new one."""


class Failed(BaseModel):
    """One run that could not be forked."""

    model_config = ConfigDict(frozen=True)

    source: str
    error: str


async def fork(
    connection: Connection, id: str, step: str, options: Options, *, run_id: str | None = None
) -> tuple[Forked, AnyRun]:
    """Fork one run from a step on.

    Raises:
        LLMFlowError: as documented in `Run.fork`.
    """
    new = await connection.client.run(id, run_id).fork(step, **options)
    return Forked(source=id, id=new.id, run_id=new.run_id, url=connection.link(new.id, new.run_id or "")), new


async def plan(connection: Connection, id: str, step: str, options: Options) -> Plan:
    """Plan a fork of one run; nothing is started.

    Raises:
        LLMFlowError: as documented in `Run.fork`.
    """
    return await plan_fork(connection.client.temporal, id, None, step, Changes(**options))


async def fork_all(
    connection: Connection, query: str, step: str, options: Options, *, wait: bool
) -> list[Forked | Failed]:
    """Fork every run of Temporal's list filter, each in its newest run.

    Args:
        connection: Server of the runs.
        query: Temporal's list filter.
        step: As in `fork`.
        options: As in `fork`, for all of them.
        wait: Follow each new run to its end.

    Returns:
        The outcome of each, in the order of the list.

    Raises:
        InputInvalid: Temporal does not accept the filter.
    """
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(source: str, run_id: str) -> Forked | Failed:
        async with limit:
            try:
                forked, new = await fork(connection, source, step, options, run_id=run_id)
            except LLMFlowError as error:
                return Failed(source=source, error=error.message)
        if wait:
            return await ended(forked, new, await _last_report(connection, new))
        return await begun(forked, new) if await is_served(connection, new) else forked

    return await asyncio.gather(*(one(*source) for source in await _found(connection, query)))


async def ended(forked: Forked, new: AnyRun, report: Report) -> Forked:
    """Return the fork after its run has ended, with its result or failure, and its usage."""
    stopped = report.status.stopped
    known = {"state": report.status.state, "stopped": stopped, "usage": report.usage}
    ended_there = stopped is not None and not stopped.call
    failure = None if ended_there else report.failure
    return changed(forked, **known, failure=failure, result=None if report.failure else await new.result())


async def begun(forked: Forked, new: AnyRun) -> Forked:
    """Return the fork with its failure, if it fails at once: only its worker knows if a change is wrong."""
    for _ in range(_LOOKS):
        status = await new.status()
        if status.stuck:
            return changed(forked, state=status.state, failure=f"blocked by a bug: {status.stuck}")
        if status.state != "running":
            try:
                await new.result()
            except RunNotCompleted as error:
                return changed(forked, state=status.state, failure=error.message)
            break
        if status.approvals or any(call.type != RESOLVE.name for call in status.pending):
            break  # the change is accepted, and the work has begun
        await asyncio.sleep(_EVERY)
    return forked


async def unchanged(connection: Connection, forked: Forked, options: Options) -> list[str]:
    """Return the replaced prompts of which the run that was forked had the version already."""
    temporal, prompts = connection.client.temporal, cast(dict[str, str], options.get("prompts", {}))
    if not prompts:
        return []
    async with readable_errors(forked.id):
        before, now = await pinned(temporal, forked.source, None), await pinned(temporal, forked.id, forked.run_id)
    return [name for name in prompts if name in now and before.get(name) == now[name]]


async def is_served(connection: Connection, new: AnyRun) -> bool:
    """True if a worker polls the task queue of the run."""
    return bool(await connection.client.workers((await new.status()).task_queue))


async def _found(connection: Connection, query: str) -> list[tuple[str, str]]:
    """Yield all runs of the filter, each only in its newest run."""
    found: dict[str, str] = {}
    cursor = None
    while True:
        page = await connection.client.list(query=query, limit=_PAGE, cursor=cursor)
        for one in page.runs:
            found.setdefault(one.id, one.run_id)
        cursor = page.cursor
        if cursor is None:
            return list(found.items())


async def _last_report(connection: Connection, new: AnyRun) -> Report:
    with suppress(RunNotCompleted):  # the report says how it ended
        await new.result()
    return await with_children(new, await look(connection, new))
