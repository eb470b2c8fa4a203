"""Commands name the App by one option or one variable, the same for all of them."""

from pathlib import Path

import pytest

from tests.helpers.command_line import Done, call
from tests.unit.cli.test_help import COMMANDS

MACHINES = "tests.integration.machinery:app"
NEEDED = [
    *("dev", "worker", "start x", "graph"),
    *(f"prompts {one}" for one in ("list", "push", "check")),
    *(f"prompts {one} mine/plan" for one in ("show", "diff", "pull")),
    *("prompts label mine/plan file", "prompts rollout mine/plan --arm a=file:100"),
]
OPTIONAL = {"doctor", "cost reprice"}


def titles(done: Done) -> list[str]:
    return [line for line in done.out.splitlines() if line.startswith("title: ")]


def test_all_commands_name_it_in_one_way() -> None:
    takes = {name for name, one in COMMANDS.items() if "app" in {param.name for param in one.params}}
    assert takes == {" ".join(one.split()[: 2 if one.startswith("prompts") else 1]) for one in NEEDED} | OPTIONAL
    for name in takes:
        [app] = [param for param in COMMANDS[name].params if param.name == "app"]
        assert (app.opts, app.envvar, app.required) == (["--app", "-a"], "LLMFLOW_APP", False), name


@pytest.mark.parametrize("command", NEEDED)
@pytest.mark.parametrize("variable", [None, ""])
def test_no_app(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
    variable: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    if variable is not None:
        monkeypatch.setenv("LLMFLOW_APP", variable)
    done = call(capsys, *command.split())
    form = "package.module:attribute"
    said = f"error: no App is named: add `--app {form}`, or `export LLMFLOW_APP={form}` once\n"
    assert (done.code, done.out, done.err) == (2, "", said)
    assert not list(tmp_path.iterdir())


def test_the_only_app_of_the_folder_is_the_example(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for package, text in (("tea", "app = App()\n"), ("other", "wrapped = app\n"), ("odd", "\0")):
        (tmp_path / package).mkdir()
        (tmp_path / package / "app.py").write_text(text)
    assert "add `--app tea.app:app`, or `export LLMFLOW_APP=tea.app:app` once" in call(capsys, "worker").err
    (tmp_path / "other" / "app.py").write_text("app = App()\n")
    assert "--app package.module:attribute" in call(capsys, "worker").err


def test_by_variable_or_by_option_which_wins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMFLOW_APP", MACHINES)
    assert titles(call(capsys, "graph", "Strict")) == ["title: Strict"]
    monkeypatch.setenv("LLMFLOW_APP", "nowhere.app:app")
    assert "there is no module 'nowhere'" in call(capsys, "graph").err
    assert titles(call(capsys, "graph", "-a", MACHINES, "Strict")) == ["title: Strict"]


@pytest.mark.parametrize("command", ["dev", "worker", "doctor", "prompts push"])
def test_a_path_where_none_belongs(capsys: pytest.CaptureFixture[str], command: str) -> None:
    done = call(capsys, *command.split(), MACHINES)
    assert (done.code, done.out) == (2, "")
    assert "unexpected extra argument" in done.err


def test_help_says_both(capsys: pytest.CaptureFixture[str]) -> None:
    said = " ".join(call(capsys, "start", "--help").out.replace("│", " ").split())
    assert "--app -a APP The App, as `package.module:attribute` [env var: LLMFLOW_APP]" in said
