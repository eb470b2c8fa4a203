"""Workflow types of a worker, recorded in the store, where starts by name are checked."""

from collections.abc import Sequence

from temporalio.worker import Worker

from llmflow.app import App
from llmflow.sdk.marks import definition_of
from llmflow.stores.database import Database
from llmflow.stores.served import EVERY, Place, put_served


async def record_workflows(database: Database, apps: Sequence[App], worker: Worker) -> None:
    """Record the workflow types that a worker serves from now on, instead of what its Apps served before.

    A versioned worker adds its types: the versions beside it still serve theirs.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    config = worker.config(active_config=True)
    types = [definition_of(workflow).name or EVERY for workflow in config.get("workflows", ())]
    deployment = config.get("deployment_config")
    is_versioned = bool((deployment and deployment.use_worker_versioning) or config.get("use_worker_versioning"))
    if types:
        place = Place(namespace=worker.client.namespace, task_queue=worker.task_queue)
        names = ",".join(sorted(app.name for app in apps))
        await put_served(database, place, names, types, replace=not is_versioned)
