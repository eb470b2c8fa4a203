"""What `--help` says is true, quick to read, and quick to come."""

import inspect
import shlex
import subprocess
import sys
from importlib import import_module

import pytest
import typer

from llmflow.cli._exit import MEANING
from llmflow.cli._later import Later, LaterGroup
from llmflow.cli.main import app
from tests.helpers.command_line import ROOT, call, environ


def group(found: object) -> LaterGroup:
    assert isinstance(found, LaterGroup)
    return found


ROOT_GROUP = group(typer.main.get_command(app))
PROMPTS = group(ROOT_GROUP.commands["prompts"])
LINES = [
    (prefix + name, line)
    for prefix, commands in (("", ROOT_GROUP.commands), ("prompts ", PROMPTS.commands))
    for name, line in commands.items()
    if isinstance(line, Later)
]


def test_all_commands_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    asked = "dev demo worker start status list result cancel usage prompts doctor init"
    assert set(ROOT_GROUP.commands) == set(asked.split())
    assert set(PROMPTS.commands) == {"list", "show"}
    assert len(LINES) == 13

    done = call(capsys, "--help")

    assert done.code == 0
    assert all(name in done.out for name in ROOT_GROUP.commands)
    for code, meaning in MEANING.items():
        assert f"{code:>3}  {meaning}" in done.out


@pytest.mark.parametrize(("name", "line"), LINES)
def test_a_line_of_the_list_is_the_first_of_the_command(name: str, line: Later) -> None:
    module, function = line.target.split(":")
    doc = inspect.getdoc(getattr(import_module(module), function)) or ""
    assert doc.splitlines()[0] == line.help


@pytest.mark.parametrize(("name", "line"), LINES)
def test_each_command_shows_an_example_that_exists(capsys: pytest.CaptureFixture[str], name: str, line: Later) -> None:
    done = call(capsys, *name.split(), "--help")
    text = " ".join(done.out.split())
    assert done.code == 0
    assert f"Example: llmflow {name}" in text

    doc = inspect.getdoc(line.load().callback) or ""
    example = shlex.split(doc.partition("Example: ")[2].partition("\n")[0])
    known = {option for param in line.load().params for option in param.opts}
    assert {word for word in example if word.startswith("--")} <= known


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["prompts", "--help"], ["nonsense"]])
def test_nothing_heavy_is_imported_to_say_what_there_is(arguments: list[str]) -> None:
    heavy = ("temporalio", "openai", "httpx", "genai_prices", "minijinja")
    code = f"import llmflow.cli.main, sys; llmflow.cli.main.run({arguments!r}); print({{*{heavy}}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ(), capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()", done.stderr


def test_the_clients_commands_do_without_the_sdk_of_a_vendor() -> None:
    code = "import llmflow.cli.demo, llmflow.cli.status, sys; print('openai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ(), capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


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
        (["list", "--since", "yesterday"], "is no moment"),
        (["result", "x", "--timeout", "5"], "is no duration"),
        (["status"], "Missing argument 'RUN'"),
        (["worker"], "Missing argument 'APP'"),
        (["demo", "--documents", "nowhere"], "does not exist"),
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
