"""Names of workflows, checked against what workers have recorded in the store. There is no server here."""

from pathlib import Path

import pytest
from sqlalchemy import text

from llmflow.client.served import ServedWorkflows
from llmflow.errors import InputInvalid
from llmflow.stores.database import Database
from llmflow.stores.served import EVERY, Place, put_served


@pytest.fixture
async def store(tmp_path: Path) -> str:
    """A store in which one worker has recorded what it serves."""
    url = str(tmp_path / "llmflow.db")
    async with Database(url) as database:
        await serve(database, "claims", "Claim", "Refund", "llmflow.batch")
    return url


async def serve(database: Database, queue: str, *types: str) -> None:
    await put_served(database, Place(namespace="default", task_queue=queue), "claims", types, replace=True)


async def test_a_name_in_no_list_is_refused_with_the_nearest(store: str) -> None:
    served = ServedWorkflows(store, "default")
    await served.check("claims", "Claim")
    with pytest.raises(InputInvalid) as refused:
        await served.check("claims", "Cliam")
    assert refused.value.message == (
        "no worker of task queue claims serves the workflow 'Cliam' (did you mean `Claim`?). There is: Claim, Refund"
    )
    assert refused.value.detail.field == "workflow"


async def test_a_refused_name_is_valid_once_a_worker_serves_it(store: str) -> None:
    served = ServedWorkflows(store, "default")
    with pytest.raises(InputInvalid):
        await served.check("claims", "Appeal")
    async with Database(store) as database:
        await serve(database, "claims", "Appeal")
    await served.check("claims", "Appeal")
    async with Database(store) as database:
        await serve(database, "claims", "Claim")
    await served.check("claims", "Appeal")  # looked up once: it is no misspelling


async def test_without_a_list_every_name_is_valid(store: str) -> None:
    async with Database(store) as database:
        await serve(database, "anything", EVERY, "Claim")
    for namespace, queue in (("default", "elsewhere"), ("other", "claims"), ("default", "anything")):
        await ServedWorkflows(store, namespace).check(queue, "Cliam")


async def test_a_store_that_has_no_answer_refuses_nothing(store: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("milk, bread, and a good deal of cheese\n" * 100)
    async with Database(store) as database:
        await database.write(lambda connection: connection.execute(text("DROP TABLE served_workflows")))
    for url in (None, str(tmp_path / "missing.db"), str(tmp_path / "notes.txt"), store, "mysql://localhost/llmflow"):
        await ServedWorkflows(url, "default").check("claims", "Cliam")
    assert not (tmp_path / "missing.db").exists()
