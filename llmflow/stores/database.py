"""Database of llmflow: one SQLite file by default, PostgreSQL for a fleet. Every wait for it has a deadline."""

import asyncio
import math
import os
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Self, TypeVar

from sqlalchemy import Connection, func, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from llmflow.errors import ConfigInvalid, ErrorDetail, Remedy, StoreUnavailable, did_you_mean
from llmflow.stores.connections import Connections, PostgresConnections, SqliteConnections, Work
from llmflow.stores.upgrade import alone, is_current, upgrade
from llmflow.types.urls import masked

T = TypeVar("T")

WITHIN = 5.0
"""Seconds that one transaction may take, the wait for a connection included. Giving up one that hangs takes 2 more."""
PATIENCE = 600.0
"""Seconds that a report may take, as `within`: a person waits for it, and no call does."""
FRESH = 5.0
"""Seconds for which an answer of the database proves that it is up."""
_UPGRADE_WITHIN = 3600.0
"""Seconds for all migrations: a big table takes time, and a person watches the upgrade."""

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}

_PARAMETERS = frozenset(
    {
        *("host", "port", "user", "password", "passfile", "target_session_attrs"),
        *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "channel_binding"),
        *("application_name", "options"),
    }
)
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class Database:
    """Pool of connections to the store: `async with Database(url) as database`. Constructing it does no I/O.

    Args:
        url: `postgresql://user:password@host/database`, `sqlite:///path`, or the path of an SQLite file.
        create: Create a missing SQLite file. A reader finds nothing in a new one.

    Raises:
        ConfigInvalid: the URL cannot be used.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        self._url = _store_url(url)
        self._connections = self._connect(WITHIN)
        self._create = create
        self._answered_at = self._failed_at = -math.inf
        self._asking: asyncio.Task[StoreUnavailable | None] | None = None

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
        """Check that the schema is current. An SQLite file is created and upgraded; PostgreSQL is left alone.

        Raises:
            ConfigInvalid: PostgreSQL has an older schema, which `upgrade` brings to the current one. Or the database
                holds something else, or the schema of a newer llmflow. Or there is no file, and none is to be made.
            StoreUnavailable: it does not answer.
        """
        if not self._create and self.is_missing:
            raise ConfigInvalid(
                f"there is no store at {self.name}: run this in the project's folder, or set LLMFLOW_STORE. If the "
                "project is new, start a worker first: it makes the store"
            )
        self._make_file()
        if await self.read(is_current):
            return
        if not self.is_sqlite:
            raise ConfigInvalid(
                f"the store {self.name} has an older schema than this llmflow needs",
                ErrorDetail(remedy=Remedy(action="upgrade_store")),
            )
        await self.upgrade()

    async def upgrade(self) -> bool:
        """Upgrade to the current schema and keep all data. True if a migration ran.

        Raises:
            ConfigInvalid: the database holds something else, or the schema of a newer llmflow.
            StoreUnavailable: it does not answer.
        """
        self._make_file()
        connections = self._connect(_UPGRADE_WITHIN)  # another process may upgrade now: wait for it as long as it may
        try:
            async with self._bounded(_UPGRADE_WITHIN), alone():
                return await connections.write(upgrade)
        except DBAPIError as error:
            raise ConfigInvalid(
                f"the store {self.name} cannot be upgraded: {error.orig}. Give llmflow a database of its own"
            ) from None
        finally:
            await connections.close()

    @property
    def name(self) -> str:
        """Location without its password: the absolute path of a file, or a URL."""
        if self.is_sqlite:
            return str(Path(self._url.database).absolute()) if self._url.database else ""
        return masked(self._url.set(drivername="postgresql").render_as_string(hide_password=False))

    @property
    def is_sqlite(self) -> bool:
        """True if the store is a file on this machine."""
        return self._url.drivername == _DRIVERS["sqlite"]

    @property
    def is_missing(self) -> bool:
        """True if the store is a file that does not exist yet."""
        path = self._url.database
        return self.is_sqlite and path is not None and not os.path.exists(path)  # does not raise

    @property
    def is_away(self) -> bool:
        """True if the last question, a moment ago, had no answer."""
        return monotonic() - self._failed_at <= FRESH

    async def read(self, work: Work[T], *, within: float = WITHIN) -> T:
        """Run `work` on a connection that only reads.

        Raises:
            StoreUnavailable: no answer within `within` seconds.
        """
        async with self._bounded(within):
            return await self._connections.read(work)

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction: all of it, or nothing.

        Raises:
            StoreUnavailable: no answer within `WITHIN` seconds. The transaction may still have been committed,
                so the write must be idempotent.
        """
        async with self._bounded():
            return await self._connections.write(work)

    @asynccontextmanager
    async def notified(self, channel: str) -> AsyncGenerator[asyncio.Event | None]:
        """Yield an event that is set by each notification of a channel of PostgreSQL; `None` for an SQLite file.

        Raises:
            StoreUnavailable: no connection within `WITHIN` seconds.
        """
        async with AsyncExitStack() as listening:
            async with self._bounded():
                news = await listening.enter_async_context(self._connections.notified(channel))
            yield news

    async def check(self) -> None:
        """Return if the database answers now, or answered a moment ago.

        Raises:
            StoreUnavailable: it does not.
        """
        if monotonic() - self._answered_at <= FRESH:
            return
        if self._asking is None or self._asking.done():  # one question for all callers that wait
            self._asking = asyncio.create_task(self._ask())
        if error := await asyncio.shield(self._asking):
            raise StoreUnavailable(error.message)

    async def now(self) -> datetime:
        """Return the time of the database's clock, which all workers share.

        Raises:
            StoreUnavailable: it does not answer.
        """
        return await self.read(clock)

    async def close(self) -> None:
        """Close the connections."""
        if self._asking:
            await self._asking
        await self._connections.close()

    def _connect(self, within: float) -> Connections:
        return (SqliteConnections if self.is_sqlite else PostgresConnections)(self._url, within)

    def _make_file(self) -> None:
        path = self._url.database
        if not self.is_sqlite or path is None:
            return
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).touch(0o600)  # answers and prompts are nobody else's; SQLite's own files beside it do the same
        except OSError as error:
            if os.path.exists(path):
                return  # to be read only, or no file: the database says it

            raise ConfigInvalid(f"the store {path} cannot be created ({error}): set LLMFLOW_STORE") from None

    async def _ask(self) -> StoreUnavailable | None:
        try:
            await self.read(lambda connection: connection.scalar(text("SELECT 1")))
        except StoreUnavailable as error:
            return error
        return None

    @asynccontextmanager
    async def _bounded(self, within: float = WITHIN) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(within):
                yield
        except TimeoutError:
            raise self._unavailable(f"no answer within {within:g} s") from None
        except DBAPIError as error:
            if not _is_away(error):
                raise
            raise self._unavailable(str(error.orig)) from None
        except OSError as error:  # asyncpg's own error, for a connection that cannot be made
            raise self._unavailable(str(error)) from None
        self._answered_at, self._failed_at = monotonic(), -math.inf

    def _unavailable(self, reason: str) -> StoreUnavailable:
        self._answered_at, self._failed_at = -math.inf, monotonic()
        return StoreUnavailable(
            f"the store {self.name} cannot be used: {reason}. Is it running, and LLMFLOW_STORE right?"
        )


def clock(connection: Connection) -> datetime:
    """Return the time of the database's clock."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)  # a file has this machine's clock
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now


# SQLSTATEs of PostgreSQL, some of them by their first two digits: no connection, no transaction now (a standby), login,
# no such database, no such schema, deadlock and the like, resources, busy, shut down, disk, inside of PostgreSQL;
# then: rights, a table or column that is not there (yet), and a prepared statement that a pooler lost or mixed up.
_AWAY = ("08", "25", "28", "3D", "3F", "40", "53", "55", "57", "58", "XX", "42501", "42P01", "42703", "26", "42P05")


def _is_away(error: DBAPIError) -> bool:
    """True if a retry may succeed: the database is away, overloaded, full, or not upgraded."""
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            # A table or column that does not exist (yet), as below.
            return any(said in str(error.orig) for said in ("no such", "no column"))
        # DatabaseError itself means a broken file, or a file that is not SQLite; its subclasses are our mistakes.
        return isinstance(error.orig, sqlite3.OperationalError) or type(error.orig) is sqlite3.DatabaseError
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return not state or state.startswith(_AWAY)  # no code: the connection broke before there was an answer


def _store_url(url: str) -> URL:
    """Return the URL of a store, with the driver that llmflow uses."""
    if "://" not in url:
        return _file(URL.create(_DRIVERS["sqlite"], database=url))
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigInvalid("LLMFLOW_STORE is not a URL: write postgresql://user:password@host/database") from None
    driver = _DRIVERS.get(found.drivername.partition("+")[0])
    if driver is None:
        raise ConfigInvalid(
            f"LLMFLOW_STORE begins with {found.drivername}://: use postgresql://user:password@host/database, or the "
            "path of an SQLite file"
        )
    found = found.set(drivername=driver)
    if driver == _DRIVERS["sqlite"]:
        return _file(found)
    if unknown := sorted(set(found.query) - _PARAMETERS):
        raise ConfigInvalid(
            f"LLMFLOW_STORE has the parameter {unknown[0]!r}{did_you_mean(unknown[0], _PARAMETERS)}: write "
            f"{', '.join(sorted(_PARAMETERS))}, such as ?sslmode=require"
        )
    mode = found.query.get("sslmode", _SSL_MODES[0])
    if mode not in _SSL_MODES:
        raise ConfigInvalid(f"LLMFLOW_STORE has sslmode={mode}: write {', '.join(_SSL_MODES)}")
    if "@" in (found.host or ""):
        raise ConfigInvalid("LLMFLOW_STORE has an `@` or a `/` in its password: write %40 for `@`, %2F for `/`")
    return found


def _file(url: URL) -> URL:
    if url.database in (None, "", ":memory:"):  # a database in memory, where each of our threads would have its own
        raise ConfigInvalid("LLMFLOW_STORE names no file: write the path of one, such as ./llmflow.db")
    return url
