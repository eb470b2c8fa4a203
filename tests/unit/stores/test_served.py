"""Workflow types that workers serve, by namespace, task queue and Apps."""

import asyncio

from llmflow.stores.database import Database
from llmflow.stores.served import Place, put_served, served_types

HERE = Place(namespace="default", task_queue="claims")


async def served(database: Database, place: Place = HERE) -> list[str]:
    return sorted(await served_types(database, place, within=5))


async def test_the_last_start_of_an_app_says_what_it_serves(database: Database) -> None:
    assert await served(database) == []
    await put_served(database, HERE, "claims", ["Claim", "Old"], replace=True)
    await put_served(database, HERE, "letters", ["Letter", "Claim"], replace=True)
    assert await served(database) == ["Claim", "Letter", "Old"], "Apps on one queue add up"
    await put_served(database, HERE, "claims", ["Claim", "New"], replace=True)
    assert await served(database) == ["Claim", "Letter", "New"]
    await put_served(database, HERE, "claims", ["Newest"], replace=False)
    assert await served(database) == ["Claim", "Letter", "New", "Newest"], "the versions beside it go on"


async def test_other_queues_and_namespaces_have_lists_of_their_own(database: Database) -> None:
    await put_served(database, HERE, "claims", ["Claim"], replace=True)
    for other in (Place(namespace="test", task_queue="claims"), Place(namespace="default", task_queue="letters")):
        assert await served(database, other) == []
        await put_served(database, other, "claims", ["Other"], replace=True)
    assert await served(database) == ["Claim"]


async def test_a_fleet_starts_at_once(database: Database) -> None:
    await asyncio.gather(*(put_served(database, HERE, "claims", ["Claim", "New"], replace=True) for _ in range(5)))
    assert await served(database) == ["Claim", "New"]
