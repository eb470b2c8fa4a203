"""Folders that set-up writes into, and may find closed."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from llmflow.errors import ConfigInvalid


@contextmanager
def writable(folder: Path, variable: str) -> Generator[None]:
    """Make the folder, if need be, and say so clearly when it or a file in it cannot be written.

    Args:
        folder: to write into within the context.
        variable: the environment variable that names another one.

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
