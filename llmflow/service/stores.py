"""The store itself: its schema."""

from pydantic import BaseModel, ConfigDict

from llmflow.stores.database import Database


class Upgraded(BaseModel):
    """What an upgrade has done."""

    model_config = ConfigDict(frozen=True)

    store: str
    """Where it is, without its password."""
    changed: bool
    """Whether there was something to do."""


async def upgrade_store(url: str) -> Upgraded:
    """Bring a store to the current schema. What it holds is kept.

    Raises:
        ConfigInvalid: the database holds something else, or the schema of a newer llmflow.
        StoreUnavailable: it does not answer.
    """
    database = Database(url)
    try:
        return Upgraded(store=database.name, changed=await database.upgrade())
    finally:
        await database.close()
