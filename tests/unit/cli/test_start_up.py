"""A command loads only the packages that it needs: loading is most of the time of a short one.

All load `temporalio`, because errors of llmflow are errors of Temporal.
"""

import subprocess
from pathlib import Path

import pytest

from tests.helpers.command_line import COMMAND, environ

SDK = {"openai", "opentelemetry"}


def loaded(folder: Path, *arguments: str) -> tuple[int, set[str]]:
    """End of a command, and the packages that its process has imported until then."""
    python, *command = COMMAND
    done = subprocess.run(
        [python, "-X", "importtime", *command, *arguments], cwd=folder, env=environ(), capture_output=True, text=True
    )
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return done.returncode, {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize(
    ("arguments", "code", "without"),
    [
        ("--version", 0, {*SDK, "sqlalchemy"}),
        ("strat", 2, {*SDK, "sqlalchemy"}),
        ("prompts shw", 2, {*SDK, "sqlalchemy"}),
        ("cost reprize", 2, SDK),
        ("store upgrade", 0, SDK),
        ("list --help", 0, {"openai", "alembic"}),
    ],
)
def test_a_command_loads_what_it_needs(tmp_path: Path, arguments: str, code: int, without: set[str]) -> None:
    ended, packages = loaded(tmp_path, *arguments.split())
    assert (ended, packages & without) == (code, set())


def test_a_report_does_not_load_the_sdk(tmp_path: Path) -> None:
    loaded(tmp_path, "store", "upgrade")
    ended, packages = loaded(tmp_path, "cost")
    assert (ended, packages & SDK) == (0, set())


def test_the_list_of_all_commands_loads_all_but_the_sdk_of_a_vendor(tmp_path: Path) -> None:
    ended, packages = loaded(tmp_path, "--help")
    assert (ended, packages & {"temporalio", "sqlalchemy", "openai"}) == (0, {"temporalio", "sqlalchemy"})
