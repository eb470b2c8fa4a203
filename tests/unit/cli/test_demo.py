"""`llmflow demo`, as far as it gets without a server."""

import sys
from pathlib import Path

import pytest

from llmflow.cli._next import llmflow_command
from tests.helpers.command_line import call


def test_an_option_that_the_application_does_not_take(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "demo", "travel", "--documents", ".")
    assert (done.code, done.out) == (2, "")
    assert "`travel` does not take --documents" in done.err


def test_an_application_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "demo", "travle")
    assert done.code == 2
    assert "'travle' is not one of 'research'" in done.err


def test_a_question_that_the_application_cannot_take(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "demo", "support", "--question", "?")
    assert done.code == 2
    assert "`text`: String should have at least 3 characters" in done.err


def test_a_command_is_named_as_it_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make demo` runs `.venv/bin/llmflow`, which is on nobody's PATH."""
    script = tmp_path / ".venv" / "bin" / "llmflow"
    script.parent.mkdir(parents=True)
    script.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    monkeypatch.setattr(sys, "argv", [".venv/bin/llmflow", "demo"])
    assert llmflow_command() == ".venv/bin/llmflow"
    monkeypatch.setattr(sys, "argv", [str(script), "demo"])
    assert llmflow_command() == ".venv/bin/llmflow"
    monkeypatch.setattr(sys, "argv", ["-c", "demo"])
    assert llmflow_command() == "llmflow"

    monkeypatch.setenv("PATH", str(script.parent))
    monkeypatch.setattr(sys, "argv", [str(script), "demo"])
    assert llmflow_command() == "llmflow"
