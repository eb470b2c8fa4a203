"""Connections to the two databases. Work on one is a plain function that runs to its end."""

import asyncio
import os
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import monotonic, sleep
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import urlencode

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL

from llmflow.errors import ConfigInvalid

T = TypeVar("T")
Work = Callable[[Connection], T]
"""Work on a connection. It returns values and no cursor: the connection is closed when it returns."""

READERS = 4
"""Number of threads that read an SQLite file at once."""
STEPS = 100_000
"""Instructions of SQLite's virtual machine, some milliseconds, between two checks if a statement is still awaited."""


class Connections(Protocol):
    """Pool of connections."""

    async def read(self, work: Work[T]) -> T:
        """Run the work on a connection that only reads."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Run the work in a transaction."""
        ...

    def notified(self, channel: str) -> AbstractAsyncContextManager[asyncio.Event | None]:
        """Yield an event that is set by each notification of a channel; `None` if the database has none."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class PostgresConnections:
    """Connections by asyncpg, also through a pooler that shares a connection between transactions (PgBouncer).

    Such a pooler may run each transaction on another connection of the server, so no statement is prepared by name:
    without its cache, asyncpg sends the text of a statement together with its values. A statement that was seen before
    still takes one round trip.
    """

    def __init__(self, url: URL, within: float) -> None:
        # Imported here: 6 MB and 0.1 s, which SQLite does without.
        from sqlalchemy.ext.asyncio import create_async_engine

        try:
            self._engine = create_async_engine(
                "postgresql+asyncpg://",
                connect_args={**_arguments(url), "statement_cache_size": 0},
                pool_pre_ping=True,
                pool_timeout=within,
                hide_parameters=True,
            )
        except ModuleNotFoundError:
            raise ConfigInvalid("PostgreSQL needs asyncpg: pip install 'llmflow[postgres]'") from None

    async def read(self, work: Work[T]) -> T:
        """See `Connections`."""
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            return await connection.run_sync(work)

    async def write(self, work: Work[T]) -> T:
        """See `Connections`."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    @asynccontextmanager
    async def notified(self, channel: str) -> AsyncGenerator[asyncio.Event | None]:
        """See `Connections`. It holds a connection."""
        news = asyncio.Event()

        def hear(*_: object) -> None:
            news.set()

        async with self._engine.connect() as connection:
            own: Any = (await connection.get_raw_connection()).driver_connection  # Any: asyncpg has no types
            await own.add_listener(channel, hear)
            try:
                yield news
            finally:
                if not own.is_closed():
                    await own.remove_listener(channel, hear)

    async def close(self) -> None:
        """See `Connections`."""
        await self._engine.dispose()


def _arguments(url: URL) -> dict[str, Any]:  # Any: texts, a port, and a switch
    """Return the arguments of `asyncpg.connect`, which reads the parameters of a URL as libpq does."""
    query, arguments = dict(url.query), url.translate_connect_args(username="user")
    query.pop("channel_binding", None)  # asyncpg has none, and would take it for a setting of the server
    if query.get("sslrootcert") == "system":  # libpq's word for the authorities that this machine trusts
        del query["sslrootcert"]
        query.pop("sslmode", None)
        arguments["ssl"] = True  # to asyncpg: they, and the host's name, are checked
    return {**arguments, "dsn": f"postgresql://?{urlencode(query)}"}


class SqliteConnections:
    """Connections in threads, each transaction in one: SQLite answers in less time than a switch of threads takes.

    An async driver switches threads for every statement, cursor and commit, which costs a worker five times as much.
    """

    def __init__(self, url: URL, within: float) -> None:
        # SQLite waits for a lock a little shorter than we do, so that its error names the lock.
        self._patience = 0.8 * within
        arguments = {"timeout": self._patience, "check_same_thread": False}
        self._path = url.database
        self._file: tuple[int, int] | None = None
        self._engine = create_engine(url, connect_args=arguments, hide_parameters=True)
        event.listen(self._engine, "connect", self._configure)
        self._readers, self._writer = _threads()

    async def read(self, work: Work[T]) -> T:
        """See `Connections`."""
        return await self._in_thread(self._readers, work)

    async def write(self, work: Work[T]) -> T:
        """See `Connections`."""

        def whole(connection: Connection) -> T:
            # BEGIN IMMEDIATE takes the write lock first: a reader that begins to write may find the file changed.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return work(connection)

        return await self._in_thread(self._writer, whole, commits=True)

    async def close(self) -> None:
        """See `Connections`."""
        readers, writer = self._readers, self._writer
        self._readers, self._writer = _threads()  # as the engine makes a new pool: it may be opened again

        def end() -> None:
            for threads in (readers, writer):
                threads.shutdown()
            self._engine.dispose()

        await asyncio.to_thread(end)

    @asynccontextmanager
    async def notified(self, channel: str) -> AsyncGenerator[asyncio.Event | None]:
        """See `Connections`."""
        yield None

    async def _in_thread(self, threads: ThreadPoolExecutor, work: Work[T], *, commits: bool = False) -> T:
        given_up = threading.Event()

        def done() -> T:
            self._look_for_file()
            with self._engine.begin() if commits else self._engine.connect() as connection:
                file = cast(sqlite3.Connection, connection.connection.driver_connection)
                file.set_progress_handler(given_up.is_set, STEPS)
                return work(connection)

        try:
            return await asyncio.get_running_loop().run_in_executor(threads, done)
        finally:
            given_up.set()  # its caller was cancelled, and other callers wait for its thread

    def _look_for_file(self) -> None:
        """Connect anew if the file was replaced: an open connection writes into a deleted file without a word.

        Raises:
            OSError: there is no file.
        """
        if self._path is None:
            return
        found = os.stat(self._path)
        if self._file != (found.st_dev, found.st_ino):
            self._engine.dispose()
            self._file = found.st_dev, found.st_ino

    def _configure(self, connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # our own BEGIN, and not the driver's
        connection.execute("PRAGMA synchronous=NORMAL").close()
        connection.execute("PRAGMA foreign_keys=ON").close()
        # WAL lets readers read while one connection writes. A power cut may undo the last moments, a killed process
        # never does.
        until = monotonic() + self._patience
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL").close()
            except sqlite3.OperationalError as error:
                # Another process creates the same file: SQLite does not wait for a lock here.
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > until:
                    raise
                sleep(0.01)
            else:
                return


def _threads() -> tuple[ThreadPoolExecutor, ThreadPoolExecutor]:
    """Return the lock for readers, or for the writer: a file takes one writer at a time."""
    return ThreadPoolExecutor(READERS, "llmflow-reads"), ThreadPoolExecutor(1, "llmflow-writes")
