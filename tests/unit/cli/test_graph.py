"""`llmflow graph`: its drawings, and its message if there is nothing to draw."""

import pytest

from llmflow.cli.exit import Exit
from tests.helpers.command_line import call

MACHINES = ["Laps", "Patience", "Deaf", "Strict", "Outer", "Tries", "Stray", "Tidy", "Asks"]
STRICT = """---
title: Strict
---
stateDiagram-v2
    [*] --> work
    work --> done
    work --> lapsed
    done --> [*]
    lapsed --> [*]
"""


def test_one_machine(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "graph", "--app", "tests.integration.machinery:app", "Strict")
    assert (done.code, done.out) == (0, STRICT)


def test_all_machines(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "graph", "--app", "tests.integration.machinery:app")
    titles = [line.removeprefix("title: ") for line in done.out.splitlines() if line.startswith("title: ")]
    assert titles == MACHINES
    assert f"\n\n{STRICT}" in done.out


def test_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    shown = call(capsys, "graph", "--app", "tests.integration.machinery:app", "Patience", "--json").json()
    work = {"name": "work", "targets": ["done"], "timeout": "P3D", "on_timeout": "rest", "retries": 0}
    rest = {"name": "rest", "targets": ["work", "lapsed"], "timeout": None, "on_timeout": None, "retries": 0}
    assert shown == [
        {
            "name": "Patience",
            "start": "work",
            "ends": ["lapsed", "done"],
            "states": [{**work, "max_visits": 100}, {**rest, "max_visits": 100}],
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (
            ["--app", "tests.integration.machinery:app", "Strickt"],
            Exit.USAGE,
            "no machine `Strickt` (did you mean `Strict`?). It has: Laps,",
        ),
        (["--app", "tests.integration.errands:app"], Exit.USAGE, "App 'errands' has no state machine"),
        (["--app", "tests.integration.machinery:nothing"], Exit.CONFIG, "it has hello, app"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], arguments: list[str], code: Exit, says: str) -> None:
    done = call(capsys, "graph", *arguments)
    assert (done.code, done.out) == (code, "")
    assert says in done.err
