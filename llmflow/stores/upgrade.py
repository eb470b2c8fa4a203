"""Upgrade of a database to the current schema, by Alembic."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection, inspect, text

from llmflow.errors import ConfigInvalid

HEAD = "0012"
"""Newest migration. A constant, because importing Alembic costs 0.1 s at every start."""
MIGRATIONS = Path(__file__).with_name("migrations")

_LOCK = 0x6C6C6D66
"""PostgreSQL advisory lock that serializes upgrades: an arbitrary number that nothing else uses."""
_ALEMBIC = Lock()
"""Alembic keeps the running migration in a module of its own, so one migration runs at a time in a process."""


@asynccontextmanager
async def alone() -> AsyncGenerator[None]:
    """Wait until no other upgrade runs in this process."""
    while not _ALEMBIC.acquire(blocking=False):  # noqa: ASYNC110 - it may run in another event loop, or thread
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        _ALEMBIC.release()


def is_current(connection: Connection) -> bool:
    """True if the database has the schema of this llmflow.

    Raises:
        ConfigInvalid: the schema is that of a newer llmflow, or of something else.
    """
    revision = _revision(connection)
    if revision is not None and revision not in _known():
        raise ConfigInvalid(
            f"the store has the schema {revision!r}, which this llmflow does not know: another worker's llmflow is "
            "newer, so upgrade this one. If the database is another application's, give llmflow one of its own"
        )
    return revision == HEAD


def upgrade(connection: Connection) -> bool:
    """Run the missing migrations in the transaction of the connection. True if one ran.

    Raises:
        ConfigInvalid: the schema is that of a newer llmflow, or of something else.
    """
    # One of two processes upgrades. SQLite has locked already: its transactions lock before they look.
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    if is_current(connection):
        return False
    _upgrade(connection)
    return True


def _known() -> set[str]:
    return {path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py")}


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
