"""A reader creates no store: in the wrong folder, an empty one would report that there is nothing."""

from pathlib import Path

import pytest

from tests.helpers.command_line import call

APP = "tests.integration.hello.app:app"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which commands run in."""
    monkeypatch.chdir(tmp_path)
    for variable in ("LLMFLOW_STORE", "LLMFLOW_HOME"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "cost",
        "cost --json",
        "cost reprice",
        "budgets list",
        "budgets set tenant:acme 5",
        "score run helpful 1",
        "prompts compare hello/greet",
        "prompts history hello/greet",
        "prompts label hello/greet 3f9a",
        "prompts rollout hello/greet",
        f"prompts diff --app {APP} hello/greet",
        f"prompts check --app {APP}",
        f"prompts show --app {APP} hello/greet@3f9a",
        f"prompts pull --app {APP} hello/greet",
    ],
)
def test_a_command_that_reads_says_where_it_looked(
    capsys: pytest.CaptureFixture[str], folder: Path, command: str
) -> None:
    done = call(capsys, *command.split())
    assert (done.code, done.out) == (5, "")
    assert (
        f"there is no store at {folder / '.llmflow/llmflow.db'}: run this in the project's folder, or set" in done.err
    )
    assert list(folder.iterdir()) == []


def test_prompts_of_files_are_listed_without_a_store(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    done = call(capsys, "prompts", "list", "--app", APP)
    assert (done.code, list(folder.iterdir())) == (0, [])
    assert "hello/greet" in done.out
    assert f"there is no store at {folder / '.llmflow/llmflow.db'}, so no labels" in done.err


@pytest.mark.parametrize("command", [f"push --app {APP}", f"label hello/greet file --app {APP}"])
def test_who_stores_files_makes_it_and_cost_says_where_it_is(
    capsys: pytest.CaptureFixture[str], folder: Path, command: str
) -> None:
    assert call(capsys, "prompts", *command.split()).code == 0
    done = call(capsys, "cost")
    assert done.code == 0, done.err
    assert str(folder / ".llmflow/llmflow.db") in done.err
