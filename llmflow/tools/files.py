"""Saves text files atomically, inside one folder and never through a link.

POSIX only: it opens folders with `dir_fd` and `O_NOFOLLOW`, so that a link created between check and use is harmless.
"""

import errno
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

from pydantic import Field

from llmflow.errors import ErrorDetail, ToolRefused
from llmflow.tools.decorator import tool
from llmflow.types.base import CompactWire

_LINK_OR_FILE = frozenset({errno.ELOOP, errno.ENOTDIR})


class SavedFile(CompactWire):
    """A saved file."""

    path: str
    """The given path, relative to the root."""
    location: str
    """Absolute path on the worker's machine."""
    size: int
    """Size in bytes."""


def write_file(path: str, content: str, *, root: Path, max_bytes: int = 10_000_000) -> SavedFile:
    """Save text as UTF-8. `save_file` is this function as a tool; for another root, make your own tool.

        @tool
        def save_report(name: str, text: str) -> SavedFile:
            '''Save a report.'''
            return write_file(f"{name}.md", text, root=Path("/srv/reports"))

    An existing file is replaced atomically, so the call is idempotent.

    Args:
        path: Path relative to `root`, with `/`; its folders are created.
        content: Content of the file.
        root: Folder that is never left; created if missing. It may itself be a link.
        max_bytes: Upper limit of the content, in bytes of UTF-8.

    Raises:
        ToolRefused: the path is absolute, leaves the root, or contains a link or a file; or the content is too large
            or not valid Unicode. `detail.field` names the argument. Nothing is saved.
        OSError: the disk is full, or the worker has no permission to write there.
    """
    *folders, name = _parts(path)
    data = _encoded(content, "content")
    if len(data) > max_bytes:
        raise ToolRefused(
            f"`content` has {len(data)} bytes, at most {max_bytes} can be saved; save it in parts",
            ErrorDetail(field="content", size=len(data)),
        )
    root.mkdir(parents=True, exist_ok=True)
    with _opened(root, folders, path) as folder:
        _replace(folder, name, data, path)
    return SavedFile(path=path, location=str(root.resolve().joinpath(*folders, name)), size=len(data))


@tool
def save_file(
    path: Annotated[str, Field(description="Such as reports/2026/summary.md; relative, with forward slashes.")],
    content: Annotated[str, Field(description="The whole text of the file.")],
) -> SavedFile:
    """Save a text file. A file of the same path is replaced."""
    return write_file(path, content, root=Path(".llmflow/files"))


def _refused(path: str, why: str) -> ToolRefused:
    return ToolRefused(f"`{path[:200]}` cannot be saved: {why}", ErrorDetail(field="path"))


def _parts(path: str) -> list[str]:
    """Split a path into checked names."""
    parts = path.split("/")
    if path.startswith("/"):
        raise _refused(path, "give a path relative to the root, without `/` at its beginning")
    if any(part in {"", ".", ".."} for part in parts):
        raise _refused(path, "each part between `/` must be the name of a folder or file, not empty, `.` or `..`")
    if "\\" in path or not path.isprintable():
        raise _refused(path, "use `/` between names, and no backslashes or invisible characters")
    if any(len(_encoded(part, "path")) > 255 for part in parts) or len(path) > 1000:
        raise _refused(path, "a name has at most 255 bytes, and a path 1000 characters")
    return parts


def _encoded(text: str, field: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ToolRefused(f"`{field}` is no valid Unicode: {error}", ErrorDetail(field=field)) from None


@contextmanager
def _opened(root: Path, folders: list[str], path: str) -> Generator[int]:
    """Open the innermost folder as a descriptor; each one is opened from its parent, without following links."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in folders:
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=folder)
            try:
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            except OSError as error:
                if error.errno in _LINK_OR_FILE:
                    raise _refused(path, f"`{name}` is a file or a link, not a folder") from None
                raise
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


def _replace(folder: int, name: str, data: bytes, path: str) -> None:
    """Write beside the target, then rename: readers see the old file or the new one, a crash leaves the old one."""
    _check_target(folder, name, path)
    temporary = f".{secrets.token_hex(8)}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # A link created at the name meanwhile is replaced, not followed.
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:  # of any class: remove the partial file
        os.unlink(temporary, dir_fd=folder)
        raise
    os.fsync(folder)


def _check_target(folder: int, name: str, path: str) -> None:
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        kind = "a link" if stat.S_ISLNK(mode) else "a folder or a device"
        raise _refused(path, f"`{name}` is {kind}; choose another name")
