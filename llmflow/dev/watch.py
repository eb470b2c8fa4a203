"""Changes of the files that a worker was loaded from."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from time import time

import watchfiles

from llmflow.errors import ConfigInvalid

_SUFFIXES = (".py", ".prompt")
_OTHERS = (".", "#", "__pycache__", "flycheck_")
"""Prefixes of files that editors and Python put beside a file."""


Change = asyncio.Task[list[Path]]
"""Task that ends with the changed paths, sorted; or with ConfigInvalid, if the system watches no more files."""


async def watch(paths: Sequence[Path], since: float) -> Change:
    """Watch from here on, until a file changes or the task is cancelled.

    Args:
        paths: Folders, of which code, prompts and new folders count, but not what is in the folders below; and files.
        since: Unix time, seconds. An edit between then and now is a change, too, but not a deletion.
    """
    there = [path for path in paths if path.exists()]

    def counts(kind: watchfiles.Change, path: str) -> bool:
        return _counts(Path(path), there, new=kind is watchfiles.Change.added)

    following = watchfiles.awatch(*there, watch_filter=counts, recursive=False, ignore_permission_denied=True)
    first = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)  # it begins to watch in its first step
    return asyncio.create_task(_change(first, there, since))


async def _change(
    first: asyncio.Future[set[tuple[watchfiles.Change, str]]], paths: Sequence[Path], since: float
) -> list[Path]:
    try:
        return sorted(set(_edited(paths, since))) or sorted({Path(path) for _, path in await first})
    except OSError as error:
        raise ConfigInvalid(
            f"the files of the App cannot be watched: {error}. WATCHFILES_FORCE_POLLING=true does without the system; "
            "`llmflow worker` does not watch"
        ) from error
    finally:
        first.cancel()
        with suppress(asyncio.CancelledError, OSError):
            await first


def forget_bytecode(changed: Sequence[Path]) -> None:
    """Remove the bytecode of these files: after an edit of the same second and size, Python would use it."""
    for path in changed:
        if path.suffix == ".py":
            with suppress(OSError):  # there is none; or it may not be removed, and then Python may not write it
                Path(cache_from_source(path)).unlink()


def _edited(paths: Sequence[Path], since: float) -> Iterator[Path]:
    for path in paths:
        for one in path.iterdir() if path.is_dir() else (path,):
            with suppress(FileNotFoundError):
                # Clocks of some file systems are ahead: a time in the future is not an edit of now.
                if _counts(one, paths) and since < one.stat().st_mtime <= time():
                    yield one


def _counts(path: Path, paths: Sequence[Path], *, new: bool = False) -> bool:
    if path in paths:
        return path.is_file() or not path.exists()
    if path.name.startswith(_OTHERS):
        return False
    return path.suffix in _SUFFIXES or (new and path.is_dir())
