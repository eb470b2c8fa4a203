"""The commands about labels and rollouts of docs/prompts.md and README.md do what they say, one after the other."""

from pathlib import Path

import pytest

from tests.architecture.markdown import Page, commands
from tests.helpers.command_line import ROOT, call

DOCS = {"push", "list", "show", "label", "diff", "history", "rollout", "pull", "check"}


@pytest.mark.parametrize(("page", "named"), [("docs/prompts.md", DOCS), ("README.md", {"label", "rollout"})])
def test_commands_work_in_the_order_of_the_page_on_a_new_store(
    page: str,
    named: set[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LLMFLOW_STORE", str(tmp_path / "store.db"))
    blocks = Page(page, (ROOT / page).read_text("utf-8")).blocks
    shown = [words for block in blocks if block.language == "console" for _, words in commands(block)]
    # `compare` is about runs that were made.
    typed = [words[1:] for words in shown if words[:2] == ["llmflow", "prompts"] and words[2] != "compare"]
    assert {words[1] for words in typed} == named
    [exported] = [words[1] for words in shown if words[0] == "export" and words[1].startswith("LLMFLOW_APP=")]
    monkeypatch.setenv(*exported.split("="))
    # The README has started a worker before, which makes the store and does the same as `push`.
    worker = [] if "push" in named else [["prompts", "push"]]
    for words in (*worker, *typed):
        done = call(capsys, *words)
        assert done.code == 0, f"llmflow {' '.join(words)}: {done.out}{done.err}"
