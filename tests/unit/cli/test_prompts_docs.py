"""The commands of docs/prompts.md about labels and rollouts do what the page says, one after the other."""

from pathlib import Path

import pytest

from tests.architecture._markdown import Page, commands
from tests.helpers.command_line import ROOT, call

PAGE = Page("docs/prompts.md", (ROOT / "docs/prompts.md").read_text("utf-8"))


def test_commands_work_in_the_order_of_the_page(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LLMFLOW_STORE", str(tmp_path / "store.db"))
    shown = [words for block in PAGE.blocks if block.language == "console" for _, words in commands(block)]
    typed = [words[1:] for words in shown if words[:2] == ["llmflow", "prompts"]]
    assert {words[1] for words in typed} == {
        *("push", "list", "show", "label", "diff", "history", "rollout", "pull", "check")
    }
    for words in typed:
        done = call(capsys, *words)
        assert done.code == 0, f"llmflow {' '.join(words)}: {done.out}{done.err}"
