"""Folders that set-up writes into, and that may be read-only."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from llmflow.errors import ConfigInvalid


@contextmanager
def writable(folder: Path, variable: str) -> Generator[None]:
    """Make the folder if necessary, and fail clearly if it or a file in it cannot be written.

    Args:
        folder: folder to write into within the context.
        variable: environment variable that names another one.

    Raises:
        ConfigInvalid: the system refused.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise ConfigInvalid(
            f"{folder} cannot be written ({error.strerror}): set {variable} to a folder that can"
        ) from error
