"""What the database could not take: files beside the worker, until it can."""

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from uuid import uuid4


class Outbox:
    """A folder of files, each with some lines that were put together. Any process may empty it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, lines: Sequence[str]) -> Path:
        """Keep lines until they are read; the file, which outlives this process.

        Raises:
            OSError: the folder cannot be written.
        """
        return await asyncio.to_thread(self._put, lines, ".jsonl")

    async def refuse(self, lines: Sequence[str]) -> Path:
        """Keep lines for a person to look at, because the database will never take them; the file.

        Raises:
            OSError: the folder cannot be written.
        """
        return await asyncio.to_thread(self._put, lines, ".refused")

    async def each(self) -> AsyncGenerator[Sequence[str]]:
        """The lines of each file. A file goes when the next one is asked for: what was done with its lines is done.

        Raises:
            OSError: the folder cannot be read, or a file not deleted.
        """
        for path in sorted(self.folder.glob("*.jsonl")):
            try:
                text = await asyncio.to_thread(path.read_bytes)
            except FileNotFoundError:
                continue  # another worker was faster
            # Not `splitlines`, which sees other ends of lines in texts, too. What is no UTF-8 will be no JSON either.
            # A person's editor ends a mended file with an empty line.
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
            half.rename(path)  # a reader sees the whole file, or none
        except OSError:
            half.unlink(missing_ok=True)  # on a full disk, half a file is in the way
            raise
        return path
