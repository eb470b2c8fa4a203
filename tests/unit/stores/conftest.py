"""Every test of a store runs on both databases: ask for `database`, or for `store_url`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llmflow.stores.database import Database
from tests.helpers.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def cluster(request: pytest.FixtureRequest) -> Postgres | None:
    """A PostgreSQL, or `None` for SQLite. Not async, because it requests an async fixture."""
    return request.getfixturevalue("postgres") if request.param == "postgresql" else None


@pytest.fixture
async def store_url(cluster: Postgres | None, tmp_path: Path) -> str:
    """A store that has no tables yet."""
    return await cluster.database() if cluster else str(tmp_path / "llmflow.db")


@pytest.fixture
async def database(store_url: str) -> AsyncIterator[Database]:
    """A store that is open, with all tables."""
    database = Database(store_url)
    await database.upgrade()
    async with database:
        yield database
