"""PostgreSQL as it is hosted: parameters of its URL, TLS, and a pooler that shares connections between transactions."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, text

from llmflow.errors import ConfigInvalid, StoreUnavailable
from llmflow.stores.database import Database
from llmflow.stores.schema import calls
from tests.helpers.ledger import call_of, keep
from tests.helpers.pgbouncer import NoPgBouncer, running_pgbouncer, write_certificate
from tests.helpers.postgres import Postgres


@pytest.fixture
async def pooled(postgres: Postgres) -> AsyncIterator[str]:
    """A store with all tables behind a PgBouncer in transaction mode."""
    url = await postgres.database()
    try:
        async with running_pgbouncer(postgres) as port:
            pooled = url.replace(str(postgres.port), str(port))
            database = Database(pooled)
            await database.upgrade()  # through the pooler, too
            await database.close()
            yield pooled
    except NoPgBouncer as missing:
        pytest.skip(str(missing))


async def said(url: str, sql: str) -> object:
    async with Database(url) as database:
        return await database.read(lambda connection: connection.scalar(text(sql)))


async def test_a_pooler_loses_no_row(pooled: str) -> None:
    async with Database(pooled) as one, Database(pooled) as other:  # two workers on three connections

        async def work(database: Database, worker: int) -> None:
            for turn in range(10):
                await keep(database, *(call_of(f"{worker}-{turn}-{call}") for call in range(4)))

        await asyncio.gather(*(work(database, worker) for worker, database in enumerate((one, other))))
        count = select(func.count()).select_from(calls)
        assert await one.read(lambda connection: connection.scalar(count)) == 80


async def test_reads_of_several_clients_do_not_mix(pooled: str) -> None:
    async with Database(pooled) as one, Database(pooled) as other:

        async def ask(database: Database, number: int) -> bool:
            query = select(func.abs(-number).label(f"a{number % 3}"))
            return await database.read(lambda connection: connection.scalar(query)) == number

        databases = (one, other)
        assert all(await asyncio.gather(*(ask(databases[number % 2], number) for number in range(200))))


@pytest.mark.parametrize("statement", ["EXECUTE lost", "PREPARE twice AS SELECT 1; PREPARE twice AS SELECT 1"])
async def test_a_lost_statement_is_unavailable(postgres: Postgres, statement: str) -> None:
    database = Database(await postgres.database())
    await database.upgrade()

    def work(connection: Connection) -> None:
        for one in statement.split("; "):
            connection.execute(text(one))

    async with database:
        with pytest.raises(StoreUnavailable, match="prepared statement"):
            await database.write(work)


async def test_parameters_of_libpq(postgres: Postgres) -> None:
    url = await postgres.database()
    database = Database(url)
    await database.upgrade()
    await database.close()
    url += "?application_name=the+worker&options=-c%20statement_timeout%3D4321&sslmode=disable&channel_binding=prefer"
    assert await said(url, "SHOW application_name") == "the worker"
    assert await said(url, "SHOW statement_timeout") == "4321ms"


async def test_tls(postgres: Postgres, tmp_path: Path) -> None:
    database = Database(url := await postgres.database())
    await database.upgrade()
    await database.close()
    write_certificate(tmp_path)
    try:
        async with running_pgbouncer(postgres, tls=tmp_path) as port:
            secure = url.replace(str(postgres.port), str(port))
            checked = f"sslmode=verify-full&sslrootcert={tmp_path}/cert.pem"
            for query in ("", "sslmode=require&channel_binding=require", checked):
                assert await said(f"{secure}?{query}", "SELECT 1") == 1
            with pytest.raises(StoreUnavailable, match="SSL required"):
                await said(f"{secure}?sslmode=disable", "SELECT 1")
            with pytest.raises(StoreUnavailable, match="self-signed certificate"):
                await said(f"{secure}?sslmode=verify-full&sslrootcert=system", "SELECT 1")
    except NoPgBouncer as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("sslmod=require", "did you mean"),
        ("ssl=require", "sslmode"),
        ("sslmode=on", "sslmode=on: write disable, allow, prefer, require, verify-ca, verify-full"),
    ],
)
def test_other_parameters_are_refused(query: str, says: str) -> None:
    with pytest.raises(ConfigInvalid, match=says):
        Database(f"postgresql://tests:secret@localhost/store?{query}")
