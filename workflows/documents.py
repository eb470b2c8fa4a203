"""Documents that workers of the examples may read: the folder LLMFLOW_DOCUMENTS, or the current one."""

import os
from pathlib import Path

from llmflow.errors import ErrorDetail, InputInvalid

VARIABLE = "LLMFLOW_DOCUMENTS"


def readable() -> Path:
    """Return the folder that reads must not leave."""
    return Path(os.environ.get(VARIABLE) or ".").resolve()


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
