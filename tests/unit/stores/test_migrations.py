"""Schema: made by migrations, the same on both databases, by one process at a time, and never in a foreign database."""

import asyncio
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Table, inspect, text

from llmflow.errors import ConfigInvalid, StoreUnavailable
from llmflow.stores.database import Database
from llmflow.stores.schema import metadata
from llmflow.stores.upgrade import HEAD, MIGRATIONS
from tests.helpers.postgres import Postgres


def test_the_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_the_migrations_make_the_tables(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[object] = list(compare_metadata(context, metadata))
        inspector = inspect(connection)
        for table in metadata.tables.values():  # which alembic does not compare
            found += _primary_key(table, inspector.get_pk_constraint(table.name)["constrained_columns"])
        return found

    assert await database.read(differences) == []


def _primary_key(table: Table, found: list[str]) -> list[object]:
    wanted = [column.name for column in table.primary_key]
    return [] if wanted == found else [(table.name, wanted, found)]


async def test_upgrading_again_does_nothing(store_url: str) -> None:
    database = Database(store_url)
    assert await database.upgrade()
    await database.write(lambda connection: connection.execute(text("UPDATE calls SET repair = 0")))
    assert not await database.upgrade()
    await database.close()


UPGRADE = """
import asyncio, sys
from llmflow.stores.database import Database

async def main():
    database = Database(sys.argv[1])
    print(await database.upgrade())
    await database.close()

asyncio.run(main())
"""


async def test_of_two_processes_one_upgrades(store_url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", UPGRADE, store_url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = [await process.communicate() for process in processes]
    assert sorted(out for out, _ in said) == [b"False\n", b"True\n"], said


async def test_a_process_upgrades_several_stores_at_once(tmp_path: Path) -> None:
    stores = [Database(str(tmp_path / f"{number}.db")) for number in range(8)]
    assert await asyncio.gather(*(store.upgrade() for store in stores)) == [True] * 8
    for store in stores:
        await store.check()
        await store.close()


async def test_an_sqlite_file_is_made_and_upgraded_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "new" / "llmflow.db"
    for _ in range(2):
        async with Database(str(path)) as database:
            await database.check()
    assert path.exists()


async def test_postgresql_is_upgraded_by_a_person(postgres: Postgres) -> None:
    url = await postgres.database()
    with pytest.raises(ConfigInvalid, match="has an older schema than this llmflow needs") as refused:
        async with Database(url):
            pass
    assert postgres.password not in str(refused.value)
    await upgraded(url)
    async with Database(url) as database:
        await database.check()


async def upgraded(url: str) -> None:
    database = Database(url)
    try:
        await database.upgrade()
    finally:
        await database.close()


async def test_a_newer_schema_is_left_alone(database: Database) -> None:
    await database.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    for use in (database.prepare, database.upgrade):
        with pytest.raises(ConfigInvalid, match="'9999', which this llmflow does not know"):
            await use()


async def test_tables_of_another_application_are_left_alone(store_url: str) -> None:
    if "://" not in store_url:
        Path(store_url).touch()
    other = Database(store_url)
    await other.write(lambda connection: connection.execute(text("CREATE TABLE scores (points INTEGER)")))
    with pytest.raises(ConfigInvalid, match="Give llmflow a database of its own"):
        await other.upgrade()
    tables = await other.read(lambda connection: inspect(connection).get_table_names())
    assert tables == ["scores"]  # all of an upgrade, or nothing
    await other.close()


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("milk, bread, and a good deal of cheese\n" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        async with Database(str(path)):
            pass


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigInvalid, match="set LLMFLOW_STORE"):
        async with Database(str(tmp_path / "file" / "llmflow.db")):
            pass


def test_without_asyncpg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)  # as Python itself marks what cannot be imported
    with pytest.raises(ConfigInvalid, match=r"pip install 'llmflow\[postgres\]'"):
        Database("postgresql://ana@localhost/llmflow")


@pytest.mark.parametrize(
    "url", ["mysql://localhost/llmflow", "http://localhost", "postgresql://localhost:port/x", "://"]
)
def test_a_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ConfigInvalid, match="LLMFLOW_STORE"):
        Database(url)
