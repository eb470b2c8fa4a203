"""`llmflow demo`, as far as it gets without a server."""

import sys
from pathlib import Path

import pytest

from llmflow.cli.suggestions import llmflow_command
from tests.helpers.command_line import call


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["travel", "--documents", "."], 2, "`travel` does not take --documents. It takes: --traveller, --destination"),
        (["travel", "--destinaton=Porto"], 2, "does not take --destinaton (did you mean `--destination`?)"),
        (["research", "--question"], 2, "--question needs a text"),
        (["research", "support"], 2, "name one example, not research and support"),
        (
            ["travle"],
            2,
            "there is no example `travle` (did you mean `travel`?). There are: claims, digest, onboar",
        ),
        (["research", "--documents", "nowhere"], 2, "there is no folder 'nowhere' here"),
        (["onboarding", "--answer-within", "soon"], 2, "answer_within: Input should be a valid duration"),
    ],
)
def test_what_the_examples_do_not_take(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    done = call(capsys, "demo", *words)
    assert (done.code, done.out) == (code, "")
    assert said in " ".join(done.err.replace("│", " ").split())


def test_a_question_that_the_application_cannot_take(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "demo", "support", "--question", "?")
    assert done.code == 2
    assert "text: String should have at least 3 characters" in done.err


def test_a_command_is_named_as_it_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make demo` runs `.venv/bin/llmflow`, which is not on PATH."""
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
