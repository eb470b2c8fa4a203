"""Schema of the store."""

from pydantic import BaseModel, ConfigDict

from llmflow.stores.database import Database


class Upgraded(BaseModel):
    """Outcome of an upgrade."""

    model_config = ConfigDict(frozen=True)

    store: str
    """Location, without the password."""
    changed: bool
    """True if a migration ran."""


async def upgrade_store(url: str) -> Upgraded:
    """Bring a store to the current schema, and keep all data.

    Raises:
        ConfigInvalid: the database holds something else, or the schema of a newer llmflow.
        StoreUnavailable: it does not answer.
    """
    database = Database(url)
    try:
        return Upgraded(store=database.name, changed=await database.upgrade())
    finally:
        await database.close()
