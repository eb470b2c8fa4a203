"""Check of a workflow's name against those that workers serve, as they have recorded it in the store."""

from llmflow.errors import ConfigInvalid, ErrorDetail, InputInvalid, StoreUnavailable, unknown
from llmflow.stores.database import Database
from llmflow.stores.served import EVERY, Place, served_types
from llmflow.types.wire import BATCH

_WITHIN = 1.0
"""Seconds to wait for the store: a start does not need it."""


class ServedWorkflows:
    """Workflow types by task queue, in the store.

    A name is looked up once for a task queue. A queue of which the store has no list, a queue with a dynamic workflow,
    and a store that does not answer make every name valid.
    """

    def __init__(self, store: str | None, namespace: str) -> None:
        self._store = store
        self._namespace = namespace
        self._valid: set[tuple[str, str]] = set()

    async def check(self, task_queue: str, name: str) -> None:
        """Refuse a workflow type that no worker of the task queue has served when it last started.

        Raises:
            InputInvalid: there is a list, and the name is not in it; names the nearest one.
        """
        if self._store is None or (task_queue, name) in self._valid:
            return
        served = await _read(self._store, Place(namespace=self._namespace, task_queue=task_queue))
        if served and served.isdisjoint({name, EVERY}):
            raise InputInvalid(
                f"no worker of task queue {task_queue} serves the workflow {unknown(name, served - {BATCH})}",
                ErrorDetail(field="workflow"),
            )
        self._valid.add((task_queue, name))


async def _read(store: str, place: Place) -> frozenset[str]:
    try:
        database = Database(store)
    except ConfigInvalid:  # a start does not need the store, nor the driver of its database
        return frozenset()
    try:
        return await served_types(database, place, within=_WITHIN)
    except StoreUnavailable:
        return frozenset()
    finally:
        await database.close()
