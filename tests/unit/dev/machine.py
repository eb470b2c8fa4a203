"""Shell scripts that stand in for the programs of other machines, and ways to get one: a broken CLI, a slow way."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from llmflow.dev.executable import Way
from llmflow.dev.process import Say, run

Program = Callable[..., Path]
"""`program(name, body)` puts a script on PATH, `program(name, body, folder)` into a folder."""

NEW_SERVER = 'echo "temporal version 0.0.0-DEV (Server 1.32.0, UI 2.54.1)"'
NOTHING = "/nonexistent"
"""The scripts of a Python environment that has none."""


def writes(body: str = NEW_SERVER, *, after: str = "true") -> Way:
    """A way that gets a `temporal` with this body, after a shell script has run."""

    async def get(folder: Path, say: Say) -> Path:
        await run(["/bin/sh", "-c", after], timeout=timedelta(minutes=1))
        executable = folder / "temporal"
        executable.write_text(f"#!/bin/sh\n{body}\n")
        executable.chmod(0o755)
        return executable

    return get
