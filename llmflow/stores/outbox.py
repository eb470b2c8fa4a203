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

    async def put(self, lines: Sequence[str]) -> None:
        """Keep lines; they are on the disk when this returns.

        Raises:
            OSError: the folder cannot be written.
        """
        await asyncio.to_thread(self._put, lines)

    def _put(self, lines: Sequence[str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{uuid4()}.jsonl"
        half = path.with_suffix(".half")
        with half.open("x") as file:
            file.write("\n".join(lines))
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)  # a reader sees the whole file, or none

    async def each(self) -> AsyncGenerator[Sequence[str]]:
        """The lines of each file. A file goes when the next one is asked for: what was done with its lines is done."""
        for path in sorted(self.folder.glob("*.jsonl")):
            try:
                text = await asyncio.to_thread(path.read_text)
            except FileNotFoundError:
                continue  # another worker was faster
            yield text.splitlines()
            path.unlink(missing_ok=True)
