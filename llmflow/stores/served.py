"""Workflow types that workers serve on a task queue. A start by name is checked against them."""

from collections.abc import Collection

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, delete, select

from llmflow.stores.database import Database
from llmflow.stores.schema import served_workflows
from llmflow.stores.upsert import insert_into

EVERY = ""
"""Type of a dynamic workflow: its worker serves every type."""

_c = served_workflows.c


class Place(BaseModel):
    """Task queue of a namespace."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    task_queue: str


async def put_served(database: Database, place: Place, apps: str, types: Collection[str], *, replace: bool) -> None:
    """Record the workflow types that a worker serves from now on.

    Args:
        database: The store.
        place: Task queue of the worker.
        apps: Names of its Apps. Lists of other Apps on the queue stay.
        types: Workflow types; `EVERY` is that of a dynamic workflow.
        replace: Forget the types that earlier workers of the Apps have served on the queue.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    earlier = delete(served_workflows).where(
        _c.namespace == place.namespace, _c.task_queue == place.task_queue, _c.apps == apps
    )
    rows = [{**dict(place), "apps": apps, "workflow_type": type} for type in types]
    # A second worker of a fleet may start at the same moment, and writes the same rows.
    insert = insert_into(database, served_workflows).on_conflict_do_nothing()

    def write(connection: Connection) -> None:
        if replace:
            connection.execute(earlier.where(_c.workflow_type.not_in(types)))
        connection.execute(insert, rows)

    await database.write(write)


async def served_types(database: Database, place: Place, *, within: float) -> frozenset[str]:
    """Return the workflow types that workers have last served on a task queue; none if no worker has recorded any.

    Args:
        database: The store.
        place: The task queue.
        within: Seconds to wait for an answer.

    Raises:
        StoreUnavailable: the database does not answer, or has no such table yet.
    """
    query = select(_c.workflow_type).where(_c.namespace == place.namespace, _c.task_queue == place.task_queue)
    return await database.read(lambda connection: frozenset(connection.scalars(query)), within=within)
