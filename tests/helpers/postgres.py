"""Throw-away PostgreSQL clusters, from the machine's own binaries.

```python
async with running_postgres() as cluster:
    url = await cluster.database()      # postgresql://tests:...@127.0.0.1:34567/db_1, new and empty
```

Tests use the session's cluster through the fixture `postgres: Postgres`; it skips where there are no binaries.
"""

import asyncio
import itertools
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg  # pyright: ignore[reportMissingTypeStubs]  it has none

from tests.helpers.processes import free_port, running

USER = "tests"
# The data need not survive a crash of the machine.
_CAREFREE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


class NoPostgres(Exception):
    """This machine has no PostgreSQL server; the message says where it was searched."""


@dataclass(frozen=True)
class Postgres:
    """A running cluster."""

    port: int
    password: str
    _server: Callable[[], AbstractAsyncContextManager[None]]
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    host = "127.0.0.1"
    user = USER

    def url(self, database: str) -> str:
        """Return the URL of one of its databases, as `LLMFLOW_STORE` takes it."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    async def database(self) -> str:
        """Create a new and empty database, and return its URL."""
        name = f"db_{next(self._numbers)}"
        await self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    async def execute(self, sql: str) -> list[asyncpg.Record]:
        """Run a statement as the superuser of the cluster, and return its result."""
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            return await connection.fetch(sql)
        finally:
            await connection.close()

    async def start(self) -> None:
        """Start, at the same port and with the same data as before."""
        await self._running.enter_async_context(self._server())

    async def stop(self) -> None:
        """Shut it down. Open sessions end, and a new one is refused."""
        await self._running.aclose()

    @asynccontextmanager
    async def paused(self) -> AsyncGenerator[None]:
        """Make the server so slow that it does not answer at all: connections stay open."""
        [[data]] = await self.execute("SHOW data_directory")
        postmaster = int(Path(data, "postmaster.pid").read_text().split()[0])
        sessions = await self.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        pids = [postmaster, *(session["pid"] for session in sessions)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def running_postgres() -> AsyncGenerator[Postgres]:
    """Run a cluster for as long as the context lasts, at a free port of 127.0.0.1. It starts in about 2 s.

    Raises:
        NoPostgres: there are no binaries.
    """
    binaries = _binaries()
    # PostgreSQL refuses to run as root; a package that installs it creates a user for it.
    user = first_user("postgres", "nobody") if os.geteuid() == 0 else None
    password = secrets.token_hex(16)
    with TemporaryDirectory(prefix="llmflow-postgres-", ignore_cleanup_errors=True) as folder:
        data, secret = Path(folder, "data"), Path(folder, "password")
        secret.write_text(password)
        if user:
            for path in (Path(folder), secret):
                shutil.chown(path, user)
        await _initialise(binaries, data, secret, user)
        port = free_port()
        settings = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", *_CAREFREE)
        arguments = [word for setting in settings for word in ("-c", setting)]
        server = partial(
            running,
            *(binaries / "postgres", "-D", data, *arguments),
            ready="ready to accept connections",
            stop=signal.SIGINT,  # which ends sessions that are still open, too
            cwd=folder,
            user=user,
        )
        cluster = Postgres(port, password, server)
        await cluster.start()
        try:
            yield cluster
        finally:
            await cluster.stop()


async def _initialise(binaries: Path, data: Path, secret: Path, user: str | None) -> None:
    how = ("--auth=scram-sha-256", f"--username={USER}", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C")
    done = await asyncio.to_thread(
        subprocess.run,
        [binaries / "initdb", "-D", data, *how, "--no-sync"],
        capture_output=True,
        text=True,
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
        cwd=data.parent,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _binaries() -> Path:
    """Return the folder of `initdb` and `postgres`: on PATH, else the newest where Debian puts them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found:
        raise NoPostgres("no PostgreSQL server: `initdb` is neither on PATH nor in /usr/lib/postgresql/*/bin")
    return max(found, key=lambda folder: float(folder.parent.name))


def first_user(*names: str) -> str:
    """Return the first of the names that is a user of this machine."""
    known = {one.pw_name for one in pwd.getpwall()}
    return next(name for name in names if name in known)
