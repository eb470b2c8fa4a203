"""Outbox: files beside the worker, for rows that the database could not take."""

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from uuid import uuid4


class Outbox:
    """Folder of files with the lines of one write each. Any process may empty it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, lines: Sequence[str]) -> Path:
        """Write lines to a file that outlives this process, and return its path.

        Raises:
            OSError: the folder cannot be written.
        """
        return await asyncio.to_thread(self._put, lines, ".jsonl")

    async def refuse(self, lines: Sequence[str]) -> Path:
        """Write lines for a person to look at, because the database will never take them, and return the file's path.

        Raises:
            OSError: the folder cannot be written.
        """
        return await asyncio.to_thread(self._put, lines, ".refused")

    async def each(self) -> AsyncGenerator[Sequence[str]]:
        """Yield the lines of each file, and delete the file when the next one is asked for.

        Raises:
            OSError: the folder cannot be read, or a file cannot be deleted.
        """
        for path in sorted(self.folder.glob("*.jsonl")):
            try:
                text = await asyncio.to_thread(path.read_bytes)
            except FileNotFoundError:
                continue  # another worker was faster
            # Not `splitlines`, which also splits at other line ends inside texts. A line that is not UTF-8 is not JSON
            # either. An editor ends a repaired file with an empty line.
            yield [line for line in text.decode(errors="replace").split("\n") if line]
            path.unlink(missing_ok=True)

    def _put(self, lines: Sequence[str], suffix: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{uuid4()}{suffix}"
        half = path.with_suffix(".half")
        try:
            with half.open("x", encoding="utf-8", newline="\n") as file:
                file.write("\n".join(lines))
                file.flush()
                os.fsync(file.fileno())
            half.rename(path)  # readers see the whole file, or none
        except OSError:
            half.unlink(missing_ok=True)  # on a full disk, half a file would block the outbox
            raise
        return path
