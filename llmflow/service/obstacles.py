"""Obstacles of a run: what it waits for in vain until somebody acts."""

from collections.abc import AsyncGenerator, Sequence

from pydantic import BaseModel, ConfigDict

from llmflow.client import Client
from llmflow.errors import Remedy, RunNotFound
from llmflow.types.base import changed
from llmflow.types.runs import RunStatus

_CHILDREN = 10
"""Open children that are looked at: two or three requests each."""


class Obstacle(BaseModel):
    """Reason why a run waits."""

    model_config = ConfigDict(frozen=True)

    reason: str
    child: str | None = None
    """Id of the child that waits, if it is not the run itself."""
    remedy: Remedy | None = None


async def obstacles(client: Client, status: RunStatus) -> tuple[Obstacle, ...]:
    """Return the obstacles of a run and of its first open children, but not those of their children.

    The run's own bug and own task queue are left out: its status and the refusal of its queries tell them.
    """
    served = _Served(client)
    found = [one async for one in _of_calls(status, served)]
    for child in status.children[:_CHILDREN]:
        try:
            of_child = await client.run(child.id, child.run_id).status()
        except RunNotFound:  # ended and deleted meanwhile
            continue
        found += [changed(one, child=child.id) async for one in _of_child(of_child, served)]
    return tuple(found)


class _Served:
    """Task queues with workers; the server is asked once for each."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[tuple[str, bool], bool] = {}

    async def has(self, queue: str, *, activities: bool = False) -> bool:
        if (queue, activities) not in self._known:
            self._known[queue, activities] = bool(await self._client.workers(queue, activities=activities))
        return self._known[queue, activities]


async def _of_child(child: RunStatus, served: _Served) -> AsyncGenerator[Obstacle]:
    if child.stuck:
        yield Obstacle(reason=f"a bug blocks it: {child.bug}")
    elif not await served.has(child.task_queue):
        yield without_worker(child)
    async for one in _of_calls(child, served):
        yield one


async def _of_calls(run: RunStatus, served: _Served) -> AsyncGenerator[Obstacle]:
    waiting: dict[str, list[str]] = {}
    for call in run.pending:
        if not call.running and call.task_queue and call.task_queue != run.task_queue:
            waiting.setdefault(call.task_queue, []).append(call.id)
    for queue, calls in waiting.items():
        if not await served.has(queue, activities=True):
            yield _unserved(f"no worker serves task queue {queue} for {_named(calls)}", queue)


def without_worker(run: RunStatus) -> Obstacle:
    """Return the obstacle of a run whose task queue has no worker."""
    return _unserved(f"no worker serves its task queue {run.task_queue}", run.task_queue)


def _unserved(reason: str, queue: str) -> Obstacle:
    return Obstacle(reason=reason, remedy=Remedy(action="start_worker", task_queue=queue))


def _named(calls: Sequence[str]) -> str:
    return calls[0] if len(calls) == 1 else f"{calls[0]} and {len(calls) - 1} more"
