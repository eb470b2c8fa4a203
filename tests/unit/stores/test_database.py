"""Database: failures that count as away, time limits of every wait, and the state after a cancelled caller."""

import asyncio
import gc
import math
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from llmflow.errors import ConfigInvalid, StoreUnavailable
from llmflow.stores.connections import READERS
from llmflow.stores.database import Database
from llmflow.stores.schema import prompt_labels
from tests.helpers.postgres import Postgres

Work = Callable[[Connection], object]


def sql(statement: str) -> Work:
    return lambda connection: connection.execute(text(statement))


def label(name: str) -> Work:
    row = {"name": name, "label": "production", "version": "0123456789ab", "protected": False}
    return lambda connection: connection.execute(insert(prompt_labels).values(row))


ONE = sql("SELECT 1")


@pytest.fixture
async def server(postgres: Postgres) -> AsyncIterator[Database]:
    """A store on PostgreSQL."""
    database = Database(await postgres.database())
    await database.upgrade()
    async with database:
        yield database


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Database]:
    """A store in an SQLite file."""
    async with Database(str(tmp_path / "llmflow.db")) as database:
        yield database


def failing(state: str) -> str:
    """SQL that fails with an SQLSTATE that is hard to come by."""
    return f"DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '{state}'; END $$"


@pytest.mark.parametrize(
    "statement",
    [
        failing("53100"),  # the disk is full
        failing("53200"),  # out of memory
        failing("40P01"),  # a deadlock
        failing("40001"),  # could not serialize
        failing("57P01"),  # shut down
        "SELECT * FROM not_upgraded_yet",
        "SELECT not_upgraded_yet FROM calls",
        "SET TRANSACTION READ ONLY; INSERT INTO prompt_labels VALUES ('a', 'b', 'c', false)",  # a standby
        "SELECT pg_terminate_backend(pg_backend_pid())",
    ],
)
async def test_what_may_pass_on_postgresql_is_unavailable(server: Database, statement: str) -> None:
    def all_of_it(connection: Connection) -> None:
        for one in statement.split("; "):
            connection.execute(text(one))

    with pytest.raises(StoreUnavailable):
        await server.write(all_of_it if "DO" not in statement else sql(statement))
    await server.read(ONE)


async def test_a_postgresql_that_cannot_be_reached(
    postgres: Postgres, unused_tcp_port_factory: Callable[[], int]
) -> None:
    url = await postgres.database()
    closed = url.replace(str(postgres.port), str(unused_tcp_port_factory()))
    for wrong, says in (
        (url.replace(postgres.password, "guess"), "password authentication failed"),
        (f"{url}_gone", "does not exist"),
        (closed, "Connect call failed"),
    ):
        database = Database(wrong)
        with pytest.raises(StoreUnavailable, match=says) as refused:
            await database.check()
        assert "LLMFLOW_STORE" in refused.value.message
        assert postgres.password not in refused.value.message
        await database.close()


async def test_no_connection_is_left(postgres: Postgres) -> None:
    url = await postgres.database()
    name = url.rpartition("/")[2]
    await postgres.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'plain'")  # superusers have no limit
    await postgres.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    database = Database(f"postgresql://{name}:plain@{postgres.host}:{postgres.port}/{name}")
    with pytest.raises(StoreUnavailable, match="too many connections"):
        await database.check()
    await database.close()


async def test_connections_that_broke_while_idle_are_replaced(server: Database, postgres: Postgres) -> None:
    await server.read(ONE)
    await postgres.stop()
    try:
        with pytest.raises(StoreUnavailable):
            await server.read(ONE)
    finally:
        await postgres.start()
    await server.read(ONE)


async def test_a_postgresql_that_says_nothing_is_given_up(server: Database, postgres: Postgres) -> None:
    await server.read(ONE)
    async with postgres.paused():
        with pytest.raises(StoreUnavailable, match="no answer within 5 s"):
            await server.write(ONE)
    await server.read(ONE)


async def test_a_file_that_is_locked(file: Database) -> None:
    with closing(sqlite3.connect(file.name)) as other:
        other.execute("BEGIN IMMEDIATE")
        first, second = [asyncio.create_task(file.write(label(name))) for name in ("greet", "part")]
        await file.read(ONE)  # readers do not wait for a writer
        with pytest.raises(StoreUnavailable, match="locked"):
            await first
        with pytest.raises(StoreUnavailable, match="no answer within 5 s"):  # the time in the queue counts too
            await second
    await file.write(label("greet"))


async def test_all_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    for number in range(30):
        several = [Database(str(tmp_path / f"{number}.db")) for _ in range(4)]
        await asyncio.gather(*(one.prepare() for one in several))
        await asyncio.gather(*(one.close() for one in several))


async def test_a_disk_that_is_full(file: Database) -> None:
    def fill(connection: Connection) -> None:
        connection.execute(text("PRAGMA max_page_count = 1"))  # at least as many as there are
        for number in range(10_000):
            label(f"greet-{number}")(connection)

    with pytest.raises(StoreUnavailable, match="full"):
        await file.write(fill)
    found = await file.read(lambda connection: connection.scalar(text("SELECT count(*) FROM prompt_labels")))
    assert found == 0  # all of a transaction, or nothing


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM not_upgraded_yet",
        "SELECT not_upgraded_yet FROM calls",
        "INSERT INTO calls (not_upgraded_yet) VALUES (1)",
    ],
)
async def test_a_file_that_lost_its_tables(file: Database, statement: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"no such|no column"):
        await file.read(sql(statement))


async def test_our_own_mistakes_are_not_for_waiting(database: Database) -> None:
    await database.write(label("greet"))
    with pytest.raises(IntegrityError) as twice:
        await database.write(label("greet"))
    assert "0123456789ab" not in str(twice.value)  # values do not appear in a log
    with pytest.raises(SQLAlchemyError):
        await database.read(sql("SELEC 1"))
    assert not database.is_away


async def test_a_question_a_moment_ago_is_enough(server: Database, postgres: Postgres) -> None:
    await server.check()
    await postgres.stop()
    try:
        await server.check()
        with pytest.raises(StoreUnavailable):
            await server.read(ONE)
        assert server.is_away
        with pytest.raises(StoreUnavailable):  # a failed statement is sent again
            await server.check()
    finally:
        await postgres.start()
    await server.check()
    assert not server.is_away


async def test_all_who_ask_at_once_share_one_question(server: Database, postgres: Postgres) -> None:
    await server.read(ONE)
    server._answered_at = -math.inf  # pyright: ignore[reportPrivateUsage]  as if it were long ago
    async with postgres.paused():
        asked = [asyncio.create_task(server.check()) for _ in range(50)]
        await asyncio.sleep(0)
        asked[0].cancel()  # the first caller is cancelled, and the others still get their answer
        said = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in said] == [asyncio.CancelledError, *[StoreUnavailable] * 49]
    [[sessions]] = await postgres.execute(
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{server.name.rpartition('/')[2]}'"
    )
    assert sessions <= 1


def endless(statement: str) -> Work:
    """SQL that takes longer than any test."""
    return sql(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) {statement}")


async def test_what_is_given_up_holds_up_nobody(file: Database) -> None:
    reads = [asyncio.create_task(file.read(endless("SELECT max(i) FROM n"), within=0.2)) for _ in range(READERS)]
    assert {type(one) for one in await asyncio.gather(*reads, return_exceptions=True)} == {StoreUnavailable}
    await file.read(ONE)

    began = threading.Event()

    def write(connection: Connection) -> None:
        label("half")(connection)
        began.set()
        endless("INSERT INTO prompt_labels SELECT i, 'production', '0123456789ab', false FROM n")(connection)

    writing = asyncio.create_task(file.write(write))
    await asyncio.to_thread(began.wait)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await file.write(label("after"))
    assert await file.read(lambda connection: connection.scalars(text("SELECT name FROM prompt_labels")).all()) == [
        "after"
    ]


async def test_a_store_that_was_closed_may_be_opened_again(store_url: str) -> None:
    database = Database(store_url)
    await database.upgrade()
    for name in ("greet", "part"):
        async with database:
            await database.write(label(name))
    async with database:
        found = await database.read(lambda connection: connection.scalar(text("SELECT count(*) FROM prompt_labels")))
    assert found == 2


@pytest.mark.parametrize("url", ["", ":memory:", "sqlite://", "sqlite:///", "sqlite+aiosqlite:///:memory:"])
def test_a_store_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ConfigInvalid, match="names no file"):
        Database(url)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # a connection that was being made ends when it is collected
async def test_who_is_cancelled_leaves_a_store_that_works(database: Database) -> None:
    for turn in range(40):  # more than the pool has
        for work in (ONE, label(f"greet-{turn}")):
            task = asyncio.create_task(database.write(work))
            for _ in range(turn):
                await asyncio.sleep(0)  # somewhere between its begin and its end
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    await database.write(label("after"))
    gc.collect()


async def test_the_time_is_that_of_the_database(database: Database) -> None:
    began = datetime.now(UTC)
    assert began <= await database.now() <= datetime.now(UTC)  # tests run on one machine
