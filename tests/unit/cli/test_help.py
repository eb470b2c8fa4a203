"""`--help` is true and quick to read."""

import inspect
import re
import shlex
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from llmflow.cli.exit import MEANING
from llmflow.cli.main import app
from tests.helpers.command_line import call


def commands(of: object, prefix: str = "") -> Iterator[tuple[str, TyperCommand]]:
    """Every command with the words that call it."""
    assert isinstance(of, TyperGroup)
    for name, command in of.commands.items():
        if isinstance(command, TyperCommand):
            yield prefix + name, command
        else:
            yield from commands(command, f"{prefix}{name} ")


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_all_commands_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    asked = "dev demo worker start status steps list result cancel terminate usage fork compare score doctor graph init"
    asked += " codec-server watch"
    prompts = "list show diff check push pull label rollout history compare"
    approvals = {f"approvals {name}" for name in ("list", "show", "approve", "reject")}
    budgets = {f"budgets {name}" for name in ("list", "show", "set", "raise", "reset")}
    others = {*approvals, *budgets, "cost reprice", "cost export", "cost reconcile", "store upgrade", "store gc"}
    others |= {f"conversation {name}" for name in ("show", "export", "diff")}
    groups = {*others, *(f"prompts {name}" for name in prompts.split())}
    assert set(COMMANDS) == {*asked.split(), *groups}

    done = call(capsys, "--help")

    assert done.code == 0
    assert all(name in done.out for name in COMMANDS if " " not in name)
    for code, meaning in MEANING.items():
        assert f"{code:>3}  {meaning}" in done.out


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_shows_an_example_that_exists(capsys: pytest.CaptureFixture[str], name: str) -> None:
    done = call(capsys, *name.split(), "--help")
    assert done.code == 0
    assert f"Example: llmflow {name}" in " ".join(done.out.split())

    doc = inspect.getdoc(COMMANDS[name].callback) or ""
    example = shlex.split(doc.partition("Example: ")[2].partition("\n")[0])
    if COMMANDS[name].context_settings.get("ignore_unknown_options"):
        return  # its options are those of an example, which test_demo.py looks at
    known = {option for param in COMMANDS[name].params for option in param.opts}
    assert {word for word in example if word.startswith("--")} <= known


@pytest.mark.parametrize(
    ("group", "panels"),
    [
        (
            [],
            """
            Begin: demo init dev
            Runs: start status watch steps result usage cancel terminate list fork compare conversation approvals
            Records: score cost budgets
            Apps: worker doctor graph prompts store
            """,
        ),
        (["prompts"], "Files: list show diff check push pull\nWhat runs get: label rollout history compare"),
        (["approvals"], "Commands: list show approve reject"),
        (["cost"], "Commands: reprice export reconcile"),
        (["store"], "Commands: upgrade gc"),
    ],
)
def test_commands_stand_in_panels_and_in_the_order_of_their_use(
    capsys: pytest.CaptureFixture[str], group: list[str], panels: str
) -> None:
    shown: dict[str, list[str]] = {}
    panel = ""
    for line in call(capsys, *group, "--help").out.splitlines():
        if heading := re.match(r"╭─ ([\w ]+?) ─", line):
            panel = heading[1]
        elif command := re.match(r"│ (\w+)  +\w", line):
            shown.setdefault(panel, []).append(command[1])
    wanted = (line.strip().split(": ") for line in panels.strip().splitlines())
    assert list(shown.items()) == [(name, commands.split()) for name, commands in wanted]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "--version")
    assert (done.code, done.out) == (0, "llmflow 0.1.0\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["strat"], "Did you mean 'start'"),
        (["prompts", "shw"], "Did you mean 'show'"),
        (["list", "--jsn"], "No such option"),
        (["list", "--limit", "0"], "Invalid value for '--limit'"),
        (["list", "--limit", "many"], "Invalid value for '--limit'"),
        (["list", "--state", "done"], "is not one of"),
        (["list", "--since", "yesterday"], "is not a moment"),
        (["result", "x", "--timeout", "5"], "is no duration"),
        (["status"], "Missing argument 'RUN'"),
        (["worker", "--app", "a:b", "--grace", "long"], "is no duration"),
        (["worker", "--app", "a:b", "--log-level", "loud"], "is not one of 'debug', 'info', 'warning', 'error'"),
        (["dev", "--app", "a:b", "--log-level", "loud"], "is not one of 'debug', 'info', 'warning', 'error'"),
        (["demo", "--documents", "nowhere"], "there is no folder 'nowhere' here"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    done = call(capsys, *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.replace("│", " ").split())


def test_a_missing_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys)
    assert done.code == 2
    assert "Usage: llmflow [OPTIONS] COMMAND" in done.out + done.err
