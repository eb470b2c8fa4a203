"""`llmflow`, called as a person calls it: in this process, or as one of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llmflow.cli.main import run

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from llmflow.cli.main import main; main()")


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """All that it printed is one JSON document."""
        assert self.code == 0, self.err
        return json.loads(self.out)


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> Done:
    """In this process: fast."""
    capsys.readouterr()
    code = run(list(arguments))
    said = capsys.readouterr()
    return Done(code, said.out, said.err)


def environ(**changes: str | None) -> dict[str, str]:
    """This process's environment for another one: without what steers llmflow, and with changes."""
    steers = ("LLMFLOW_", "TEMPORAL_", "OPENAI_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steers)}
    cache = {name: value for name, value in os.environ.items() if name == "LLMFLOW_CACHE"}
    given = {name: value for name, value in changes.items() if value is not None}
    return {**kept, **cache, "PYTHONPATH": str(ROOT), **given}


def process(*arguments: str, cwd: Path, env: Mapping[str, str], stdin: str = "") -> Done:
    """As a process of its own."""
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, env=env, input=stdin, capture_output=True, text=True, timeout=50
    )
    return Done(done.returncode, done.stdout, done.stderr)
