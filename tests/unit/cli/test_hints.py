"""Remedies as commands, and at the end of a message."""

from typing import get_args

import pytest

from llmflow.cli.hints import command, hint, said
from llmflow.errors import ErrorDetail, InputInvalid, Remedy, RunNotFound

DOCTOR = {"add_tool", "set_key", "name_model", "add_attributes"}
"""Remedies that `llmflow doctor` words, because they are about the App and its environment."""
DRIFT = {"pull_prompt", "read_history", "drop_label", "keep_arm"}
"""Remedies that only `llmflow prompts check` names, as commands."""


def test_every_remedy_is_worded() -> None:
    for action in get_args(Remedy.model_fields["action"].annotation):
        remedy = Remedy(action=action, run="r-1", prompt="mine/plan", version="3f9a", label="production")
        assert bool(hint(remedy)) == (action not in DOCTOR | DRIFT), action
        assert command(remedy) or action not in DRIFT, action
        assert "None" not in hint(remedy), action


@pytest.mark.parametrize(
    ("remedy", "line"),
    [
        (Remedy(action="look_at_run", run="r-1"), "llmflow status r-1"),
        (Remedy(action="push_prompts"), "llmflow prompts push --app mine.app:app"),
        (Remedy(action="pull_prompt", prompt="a/b", label="dev"), "llmflow prompts pull a/b@dev --app mine.app:app"),
        (Remedy(action="force"), None),
    ],
)
def test_a_command(remedy: Remedy, line: str | None) -> None:
    assert command(remedy, " --app mine.app:app") == line


def test_an_error_with_and_without() -> None:
    assert said(InputInvalid("no")) == "no"
    error = RunNotFound("there is no run 'x'", ErrorDetail(remedy=Remedy(action="list_runs")))
    assert said(error) == "there is no run 'x': `llmflow list` shows those there are"
