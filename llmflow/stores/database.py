"""The database: one SQLite file by default, PostgreSQL for a fleet. Every wait for it is bounded."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic
from typing import Self, TypeVar

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from llmflow.errors import ConfigInvalid, StoreUnavailable
from llmflow.stores.upgrade import is_current, upgrade

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

WITHIN = 5.0
"""Seconds that one transaction may take, the wait for a connection included."""
FRESH = 5.0
"""Seconds for which an answer of the database is proof enough that it is there."""

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


class Database:
    """A pool of connections to the store: `async with Database(url) as database`. Making one does no I/O.

    Args:
        url: `postgresql://user:password@host/database`, `sqlite:///path`, or the path of an SQLite file.

    Raises:
        ConfigInvalid: the URL cannot be used.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(_store_url(url))
        self._answered_at = -FRESH

    async def __aenter__(self) -> Self:
        try:
            await self.prepare()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def prepare(self) -> None:
        """See that the schema is the current one. An SQLite file is made and upgraded, PostgreSQL is left alone.

        Raises:
            ConfigInvalid: PostgreSQL has another schema: run `llmflow store upgrade`.
            StoreUnavailable: it does not answer.
        """
        if self.is_sqlite and (path := self._engine.url.database):
            with _writable(path):
                Path(path).parent.mkdir(parents=True, exist_ok=True)
        if await self.read(is_current):
            return
        if not self.is_sqlite:
            raise ConfigInvalid(
                f"the store {self.name} has not the schema of this llmflow: run `llmflow store upgrade`"
            )
        await self.upgrade()

    async def upgrade(self) -> bool:
        """Bring it to the current schema; what it holds is kept. Whether there was something to do.

        Raises:
            StoreUnavailable: it does not answer.
        """
        return await self.write(upgrade)  # SQLite locks before it looks, so of two processes one does it

    @property
    def name(self) -> str:
        """Where it is, without its password."""
        return self._engine.url.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file on this machine."""
        return self._engine.dialect.name == "sqlite"

    async def read(self, work: Work[T]) -> T:
        """Do `work` on a connection that only reads.

        Raises:
            StoreUnavailable: no answer within `WITHIN` seconds.
        """
        async with self._bounded(), self._engine.connect() as connection:
            return await work(await connection.execution_options(isolation_level="AUTOCOMMIT"))

    async def write(self, work: Work[T]) -> T:
        """Do `work` in one transaction: all of it, or nothing.

        Raises:
            StoreUnavailable: no answer within `WITHIN` seconds. The transaction may have been committed all the same,
                so what is written must be the same when it is written twice.
        """
        async with self._bounded(), self._engine.begin() as connection:
            return await work(connection)

    async def check(self) -> None:
        """Return if it answers now, or answered a moment ago.

        Raises:
            StoreUnavailable: it does not.
        """
        if monotonic() - self._answered_at > FRESH:
            await self.read(lambda connection: connection.execute(text("SELECT 1")))

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _bounded(self) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(WITHIN):
                yield
        except TimeoutError:
            raise self._unavailable(f"no answer within {WITHIN:g} s") from None
        except DBAPIError as error:
            if not _is_away(error):
                raise
            raise self._unavailable(str(error.orig)) from None
        except OSError as error:  # asyncpg's own, for a connection that cannot be made
            raise self._unavailable(str(error)) from None
        self._answered_at = monotonic()

    def _unavailable(self, reason: str) -> StoreUnavailable:
        self._answered_at = -FRESH
        return StoreUnavailable(
            f"the store {self.name} does not answer: {reason}. Is it running, and LLMFLOW_STORE right?"
        )


def _is_away(error: DBAPIError) -> bool:
    """Whether the database is away or overloaded, and not our SQL wrong."""
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        return isinstance(error.orig, sqlite3.OperationalError) and "no such" not in str(error.orig)
    state = str(getattr(error.orig, "sqlstate", None) or "")
    # Classes of PostgreSQL's SQLSTATE: connection, resources, operator intervention, authorization; none: no answer.
    return not state or state[:2] in {"08", "53", "57", "58", "28", "3D"} or state in {"40001", "40P01", "55P03"}


def _store_url(url: str) -> URL:
    """The URL of a store, with the driver that llmflow uses."""
    if "://" not in url:
        return URL.create(_DRIVERS["sqlite"], database=url)
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigInvalid("LLMFLOW_STORE is no URL: write postgresql://user:password@host/database") from None
    driver = _DRIVERS.get(found.drivername.partition("+")[0])
    if driver is None:
        raise ConfigInvalid(
            f"LLMFLOW_STORE begins with {found.drivername}://: use postgresql://user:password@host/database, or the "
            "path of an SQLite file"
        )
    return found.set(drivername=driver)


def _engine(url: URL) -> AsyncEngine:
    if not url.drivername.startswith("sqlite"):
        try:
            return create_async_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=10, pool_timeout=WITHIN)
        except ModuleNotFoundError:
            raise ConfigInvalid("PostgreSQL needs asyncpg: pip install 'llmflow[postgres]'") from None
    engine = create_async_engine(url, connect_args={"timeout": WITHIN})
    event.listen(engine.sync_engine, "connect", _configure_sqlite)
    event.listen(engine.sync_engine, "begin", _lock_at_once)
    return engine


@contextmanager
def _writable(path: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigInvalid(f"the folder of the store {path} cannot be made ({error}): set LLMFLOW_STORE") from None


def _configure_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's BEGIN below, and not the driver's own
    cursor = connection.cursor()
    # WAL lets readers read while one writes. A power cut may undo the last moments, a killed process never does.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _lock_at_once(connection: Connection) -> None:
    """Take the write lock before reading, because a reader that begins to write may find the file changed."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
