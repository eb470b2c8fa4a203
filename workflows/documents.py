"""Documents that workers of the examples may read: the folder LLMFLOW_DOCUMENTS, or the current one."""

import os
from pathlib import Path

from llmflow.errors import ErrorDetail, InputInvalid, ToolRefused

VARIABLE = "LLMFLOW_DOCUMENTS"


def readable() -> Path:
    """Return the folder that reads must not leave."""
    return Path(os.environ.get(VARIABLE) or ".").resolve()


def inside(path: str) -> Path:
    """Return a path that the worker may read.

    Raises:
        ToolRefused: it leaves the folder, or does not exist.
    """
    top = readable()
    found = (top / path).resolve()
    if not found.is_relative_to(top) or not found.exists():
        raise ToolRefused(f"there is no `{path}` in {top}, the folder that may be read ({VARIABLE})")
    return found


def text_of(data: bytes) -> str:
    """Decode a document.

    Raises:
        ToolRefused: it is not UTF-8, or empty.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ToolRefused(f"it is not UTF-8 text: byte {error.start} cannot be read") from None
    if not text.strip():
        raise ToolRefused("it is empty")
    return text


def allow(folder: str) -> tuple[str, dict[str, str]]:
    """Let the worker of a demo read a folder: the command line that names it allows that.

    Returns:
        Its absolute path, and the environment variable that the worker needs.

    Raises:
        InputInvalid: the folder does not exist.
    """
    path = Path(folder).resolve()
    if not path.is_dir():
        raise InputInvalid(f"there is no folder {folder!r} here", ErrorDetail(field="documents"))
    return str(path), {} if path.is_relative_to(readable()) else {VARIABLE: str(path)}
