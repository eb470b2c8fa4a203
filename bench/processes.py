"""Measured processes, and their use of resources as Linux reports it."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

START_LIMIT = 60.0
BYTE_CODE = tempfile.TemporaryDirectory(prefix="bench-")
"""Folder of bytecode that processes share: without it the sandbox would compile modules of workflows for every run."""


@dataclass(frozen=True)
class Process:
    pid: int
    said: str = ""
    """First line that it printed."""

    def cpu(self) -> float:
        """Return CPU seconds so far, of user and kernel and of all threads, in steps of 10 ms."""
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        user, system = int(after_name[11]), int(after_name[12])
        return (user + system) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> float:
        """Return megabytes in memory now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def started(*arguments: str, env: Mapping[str, str] | None = None) -> asyncio.subprocess.Process:
    """Start a Python process whose output can be read."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": BYTE_CODE.name, **(env or {})},
    )


@asynccontextmanager
async def python(*arguments: str, env: Mapping[str, str] | None = None) -> AsyncGenerator[Process]:
    """Start a Python process and wait for its first line; the context ends it."""
    process = await started(*arguments, env=env)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_LIMIT):
            said = (await process.stdout.readline()).decode().strip()
        if not said:
            raise RuntimeError(f"`python {' '.join(arguments)}` did not start: see above")
        yield Process(process.pid, said)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
