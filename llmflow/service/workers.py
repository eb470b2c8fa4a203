"""Workers that a run needs before it can answer."""

from llmflow.client import Client
from llmflow.client.decisions import check_begun
from llmflow.errors import ErrorDetail, NoWorker, Remedy
from llmflow.types.runs import RunStatus


async def need_worker(client: Client, status: RunStatus) -> None:
    """Refuse at once if no worker can answer: a query would wait 10 s for one.

    Raises:
        NoWorker: nothing polls the run's task queue, the run is blocked by a bug, or its start delay has not ended.
    """
    if status.begins_at and status.state == "running":
        await check_begun(client.temporal, client.run(status.id, status.run_id).handle)
    if status.stuck:  # Temporal queries a run only after its workflow task, and that fails repeatedly
        raise NoWorker(f"run {status.id!r} cannot answer while a bug blocks it: {status.stuck}")
    if not await client.workers(status.task_queue):
        raise NoWorker(
            f"no worker serves task queue {status.task_queue}",
            ErrorDetail(remedy=Remedy(action="start_worker", task_queue=status.task_queue)),
        )
