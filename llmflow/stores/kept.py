"""The folder of served versions: a run can finish on the prompts that it began with, whatever became of the files."""

import os
import secrets
from pathlib import Path

from llmflow.errors import ConfigInvalid
from llmflow.types.prompts import PromptRef


def kept_path(folder: Path, ref: PromptRef) -> Path:
    """Where the text of a version is kept."""
    return folder / f"{ref}.prompt"


def keep(folder: Path, ref: PromptRef, text: bytes) -> None:
    """Keep the text of a version, unless it is there: whole or not at all, also when workers start at once.

    Raises:
        ConfigInvalid: the folder cannot be written.
    """
    path = kept_path(folder, ref)
    if path.exists():
        return
    draft = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(text)
        os.replace(draft, path)
    except OSError as error:
        raise ConfigInvalid(
            f"{folder} cannot be written ({error.strerror}), and prompts are kept there for open runs: set "
            "LLMFLOW_HOME to a folder that can"
        ) from error
