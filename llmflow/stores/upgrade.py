"""Bringing a database to the current schema, by Alembic."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

HEAD = "0001"
"""The newest migration. Known here, because asking Alembic costs its import: 0.1 s at every start."""
MIGRATIONS = Path(__file__).with_name("migrations")


async def is_current(connection: AsyncConnection) -> bool:
    """Whether the database has the schema of this llmflow."""
    return await connection.run_sync(_revision) == HEAD


async def upgrade(connection: AsyncConnection) -> bool:
    """Do the migrations that are missing, in the transaction of the connection; whether there were some."""
    if await is_current(connection):
        return False
    await connection.run_sync(_upgrade)
    return True


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
