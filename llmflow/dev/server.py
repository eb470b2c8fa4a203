"""Temporal server for one machine: one that runs already, or one that we start and stop.

Runs outlive it: its data lies in a file of the project. The processes of one project share one server, because only one
server may open that file.
"""

import asyncio
import json
import os
import signal
import socket
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from llmflow.config import Settings
from llmflow.dev.executable import temporal_executable
from llmflow.dev.folder import writable
from llmflow.dev.launch import HOST, TEST_CONFIG, configured, running_server
from llmflow.dev.process import Say
from llmflow.errors import ServerUnavailable

PORT, UI_PORT = 7233, 8233
"""Temporal's own ports, used if they are free."""
_PORT_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class DevServer:
    """A Temporal server that answers."""

    address: str
    """host:port of its gRPC frontend."""
    ui_url: str | None = None
    """Its Web UI; None if it has none, or if the server is not ours and its Web UI is unknown."""
    pid: int | None = None
    """Its process id, if it is ours."""
    storage: str | None = None
    """URL of the external storage of its runs, if it has one."""

    @property
    def has_usual_port(self) -> bool:
        """True if every tool of Temporal finds it by default."""
        return self.address.endswith(f":{PORT}")


def dev_server(
    settings: Settings, say: Say, *, memory: bool = False, storage: str | None = None
) -> AbstractAsyncContextManager[DevServer]:
    """Have a Temporal server for as long as the context lasts.

    It is the one at `TEMPORAL_ADDRESS`, if that is set; else the one that another process runs for the same
    `settings.home`; else a new one, on Temporal's usual ports if they are free and on others if they are not.

    Args:
        settings: `home` is the folder of the server's data (`temporal.db`) and log (`temporal.log`), `cache` that of
            its executable.
        say: called with messages about progress.
        memory: for tests: a new server on a free port, without Web UI, that forgets everything.
        storage: URL of the external storage of a new server's runs, which other processes learn.

    Raises:
        ServerUnavailable: `TEMPORAL_ADDRESS` does not answer, no way leads to an executable, or it does not start.
        ConfigInvalid: a folder cannot be written.
    """
    if settings.temporal_address:
        return _standing(settings.temporal_address)
    return _private(settings, say) if memory else _shared(settings, say, storage)


async def standing_server(settings: Settings) -> DevServer | None:
    """Return the dev server that another process runs for the same `settings.home`, if it answers.

    The leftovers of a killed process do not count: its port may belong to a foreign server by now.
    """
    other = _read_state(settings.home)
    if other and other.pid and _alive(other.pid) and await _answers(other.address):
        return other
    return None


@asynccontextmanager
async def _standing(address: str) -> AsyncGenerator[DevServer]:
    if not await _answers(address):
        raise ServerUnavailable(
            f"nothing answers at TEMPORAL_ADDRESS={address}: start that server, or unset the variable, and llmflow "
            "starts a server of its own"
        )
    yield DevServer(address=address)


@asynccontextmanager
async def _private(settings: Settings, say: Say) -> AsyncGenerator[DevServer]:
    async with private_server(await temporal_executable(settings, say), *configured(TEST_CONFIG)) as server:
        yield server


@asynccontextmanager
async def private_server(executable: Path, *arguments: str) -> AsyncGenerator[DevServer]:
    """Start a new server on a free port, without Web UI, that forgets everything.

    Args:
        executable: path of the Temporal CLI.
        arguments: arguments on top of those that every server of ours gets.

    Raises:
        ServerUnavailable: it does not start.
    """
    with tempfile.TemporaryFile() as log:
        async with AsyncExitStack() as running:
            yield await _on_a_free_port(executable, ["--headless", *arguments], log, running)


async def _on_a_free_port(
    executable: Path, arguments: Sequence[str], log: IO[bytes], running: AsyncExitStack
) -> DevServer:
    """Start a new server, repeatedly if a port that was free a moment ago is taken by now."""
    attempts = 0
    while True:
        port = _free_port()
        server = running_server(executable, arguments, port=port, log=log, stop=signal.SIGKILL)
        try:
            return DevServer(address=f"{HOST}:{port}", pid=await running.enter_async_context(server))
        except ServerUnavailable:
            attempts += 1
            if attempts == _PORT_ATTEMPTS:
                raise


@asynccontextmanager
async def _shared(settings: Settings, say: Say, storage: str | None) -> AsyncGenerator[DevServer]:
    executable = await temporal_executable(settings, say)
    home = settings.home
    lock = FileLock(home / "server.lock", thread_local=False)  # held for as long as the server runs
    with writable(home, "LLMFLOW_HOME"):
        other = await _attach_or_lock(home, lock)
    if other:
        say(
            f"using the Temporal server at {other.address} that another llmflow process runs; it ends with that process"
        )
        yield other
        return
    try:
        await _until_gone(home)
        async with _own(executable, home, say, storage) as server:
            yield server
    finally:
        lock.release()


async def _attach_or_lock(home: Path, lock: FileLock) -> DevServer | None:
    """Return the server of the process that holds the lock, or None: now we hold it."""
    for _ in range(600):
        with suppress(Timeout):
            lock.acquire(timeout=0)
            return None
        other = _read_state(home)
        if other and await _answers(other.address):
            return other
        await asyncio.sleep(0.1)  # it is starting, or stopping
    raise ServerUnavailable(
        f"another process holds {lock.lock_file}, and its server did not answer within a minute: end that process, or "
        "set LLMFLOW_HOME to another folder"
    )


async def _until_gone(home: Path) -> None:
    """Wait for the server of a process that was killed: it ends by itself, but a moment later."""
    killed = _read_state(home)
    _state(home).unlink(missing_ok=True)
    if killed is None or killed.pid is None:
        return
    for _ in range(200):
        if not _alive(killed.pid):
            return
        await asyncio.sleep(0.1)
    if await _answers(killed.address):  # otherwise the number belongs to another process now
        raise ServerUnavailable(f"an earlier server still has {home}/temporal.db open: end it with `kill {killed.pid}`")


@asynccontextmanager
async def _own(executable: Path, home: Path, say: Say, storage: str | None) -> AsyncGenerator[DevServer]:
    with (home / "temporal.log").open("w+b") as log:
        async with AsyncExitStack() as running:
            server = replace(await _on_the_usual_ports(executable, home, log, running, say), storage=storage)
            _write_state(home, server)
            say(f"Temporal server at {server.address}, Web UI at {server.ui_url}, data and log in {home}")
            try:
                yield server
            finally:
                _state(home).unlink(missing_ok=True)  # first, so that no process attaches to a server that stops


async def _on_the_usual_ports(
    executable: Path, home: Path, log: IO[bytes], running: AsyncExitStack, say: Say
) -> DevServer:
    """Start a new server, on other ports if the usual ones are taken, also by a server that starts at this moment."""
    attempts = 0
    while True:
        port, ui_port = _port(PORT, say), _port(UI_PORT, say)
        arguments = ["--db-filename", str(home / "temporal.db"), "--ui-port", str(ui_port)]
        server = running_server(executable, arguments, port=port, log=log, stop=signal.SIGTERM)
        try:
            pid = await running.enter_async_context(server)
        except ServerUnavailable:
            attempts += 1
            if attempts == _PORT_ATTEMPTS or not (_taken(port) or _taken(ui_port)):
                raise
        else:
            return DevServer(address=f"{HOST}:{port}", ui_url=f"http://localhost:{ui_port}", pid=pid)


def _state(home: Path) -> Path:
    return home / "server.json"


def _read_state(home: Path) -> DevServer | None:
    with suppress(FileNotFoundError):
        return DevServer(**json.loads(_state(home).read_text()))
    return None


def _write_state(home: Path, server: DevServer) -> None:
    draft = _state(home).with_suffix(".new")
    draft.write_text(json.dumps(asdict(server)))
    os.replace(draft, _state(home))


def _port(preferred: int, say: Say) -> int:
    if not _taken(preferred):
        return preferred
    port = _free_port()
    say(f"port {preferred} is taken by another program: using {port}")
    return port


def _taken(port: int) -> bool:
    # Both are needed: some systems let us bind an address whose port another program listens on at all addresses.
    with suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
        return True
    try:
        with socket.create_server((HOST, port)):
            return False
    except OSError:
        return True


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return server.getsockname()[1]


async def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(5):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:  # gone, or another user's, so not ours
        return False
    return True
