"""Runs that cannot go on until somebody acts: blocked by a bug, or without a worker."""

from collections import defaultdict
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from llmflow.client import Client
from llmflow.errors import InputInvalid, Remedy, RunNotFound
from llmflow.history.executions import PROBLEMS
from llmflow.service.obstacles import without_worker
from llmflow.types.runs import RunStatus

_LOOKED_AT = 1000
"""Running runs that are looked at, the newest: a page of the server."""


class StuckRun(BaseModel):
    """A running run that cannot go on, and the reason."""

    model_config = ConfigDict(frozen=True)

    run: RunStatus
    reason: str
    remedy: Remedy | None = None


async def stuck_runs(client: Client, workflow: str | None = None, limit: int = _LOOKED_AT) -> Sequence[StuckRun]:
    """Return the runs that cannot go on: first those blocked by a bug, which may be a type that no worker knows.

    Args:
        client: Client of the namespace.
        workflow: Only runs of this type.
        limit: At most this many.
    """
    blocked = await _blocked(client, workflow, limit)
    known = {one.run.run_id for one in blocked}
    waiting: dict[str, list[RunStatus]] = defaultdict(list)
    for run in (await client.list(workflow=workflow, state="running", limit=_LOOKED_AT)).runs:
        if run.run_id not in known:
            waiting[run.task_queue].append(run)
    unserved = [_unserved(run) for queue, runs in waiting.items() if not await client.workers(queue) for run in runs]
    return [*blocked, *unserved][:limit]


def _unserved(run: RunStatus) -> StuckRun:
    found = without_worker(run)
    return StuckRun(run=run, reason=found.reason, remedy=found.remedy)


async def _blocked(client: Client, workflow: str | None, limit: int) -> list[StuckRun]:
    try:
        page = await client.list(workflow=workflow, state="running", query=PROBLEMS, limit=min(limit, _LOOKED_AT))
    except InputInvalid:  # a server from before this search attribute
        return []
    found: list[StuckRun] = []
    for one in page.runs:
        try:
            run = await client.run(one.id, one.run_id).status()
        except RunNotFound:  # ended and deleted meanwhile
            continue
        if run.stuck:
            found.append(StuckRun(run=run, reason=f"blocked by a bug: {run.bug}"))
    return found
