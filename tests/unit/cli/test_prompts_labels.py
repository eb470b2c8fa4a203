"""`llmflow prompts label`, `rollout` and `history`: changes of what runs get. They need the store alone."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from llmflow.prompts.files import parse_prompt
from llmflow.prompts.prompt import Prompts
from llmflow.stores.database import Database
from llmflow.stores.prompts.registry import Registry
from tests.helpers.command_line import Done, call

PLAN = "mine/plan"
PROMPTS = [parse_prompt(f"user:\n{text}", PLAN, "plan.prompt") for text in ("old", "new")]
OLD, NEW = (prompt.ref.version for prompt in PROMPTS)


class Prompt:
    """`llmflow prompts ...` on a store with two versions of one prompt."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Done:
        return call(self._capsys, "prompts", *arguments)

    def labels(self, *words: str) -> str:
        """Move `production`, which must succeed; return the output."""
        done = self("label", PLAN, *words)
        assert done.code == 0, done.err
        return done.err


@pytest.fixture
def prompt(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Prompt:
    async def store() -> None:
        async with Database(str(tmp_path / "store.db")) as database:
            for prompt in PROMPTS:
                await Registry(database, Prompts([prompt])).push("ci")

    asyncio.run(store())
    monkeypatch.setenv("LLMFLOW_STORE", str(tmp_path / "store.db"))
    monkeypatch.setenv("LLMFLOW_BY", "ana")
    monkeypatch.chdir(tmp_path)
    return Prompt(capsys)


def test_a_label_moves_and_moves_back(prompt: Prompt) -> None:
    assert f"mine/plan production → {OLD}\nopen runs keep" in prompt.labels(OLD[:4])
    assert "nothing to do" in prompt.labels(OLD)
    assert f"production {OLD} → {NEW}" in prompt.labels(NEW, "--why", "shorter")
    assert f"production {NEW} → {OLD}" in prompt.labels("back")
    assert f"staging → {OLD}" in prompt.labels("production", "staging")
    assert f"production {OLD} → none, so runs follow the file" in prompt.labels("none")
    [change] = prompt("label", PLAN, NEW, "--why", "again", "--json").json()
    assert (change["kind"], change["before"], change["after"], change["by"], change["why"]) == (
        *("label", None, NEW, "ana"),
        "again",
    )


def test_the_label_that_runs_follow_is_a_setting(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMFLOW_LABEL", "canary")
    assert f"canary → {NEW}" in prompt.labels(NEW)


def test_a_protected_label_moves_with_force_and_a_reason(prompt: Prompt) -> None:
    assert "production is protected" in prompt.labels(OLD, "--protect")
    refused = prompt("label", PLAN, NEW, "--why", "an outage")
    assert (refused.code, refused.err) == (
        2,
        "error: `production` of `mine/plan` is protected, and moves only with force and a reason: add --force, and "
        "say with --why what for\n",
    )
    prompt.labels(NEW, "--force", "--why", "an outage")
    assert "no longer protected" in prompt.labels("production", "--unprotect", "--force", "--why", "over")


def test_the_file_of_an_app_is_stored_when_a_label_moves_to_it(prompt: Prompt, tmp_path: Path) -> None:
    app = tmp_path / f"labelled_{tmp_path.name}.py"
    app.write_text(
        "from pathlib import Path\nfrom llmflow.app import App\n"
        "app = App(name='mine', workflows=[], prompts=Path(__file__).parent)\n"
    )
    for name in ("plan", "other"):
        (tmp_path / f"{name}.prompt").write_text("user:\nfrom the file\n")
    path = [*sys.path]
    try:
        [change] = prompt("label", PLAN, "file", "--app", f"{app.stem}:app", "--json").json()
    finally:
        sys.path[:] = path
    stored = [event["after"] for event in prompt("history", PLAN, "--json").json() if event["kind"] == "version"]
    assert change["after"] in stored
    assert prompt("history", "mine/other").code == 4, "only the one that was named"


def test_the_way_back_from_a_rollout_without_a_label_is_said_and_works(prompt: Prompt) -> None:
    without = prompt("rollout", PLAN, "--arm", "a=production:50", "--arm", f"b={NEW}:50")
    assert (without.code, f"type `llmflow prompts label {PLAN} {OLD} production`, if you mean" in without.err) == (
        4,
        True,
    )
    prompt("rollout", PLAN, "--arm", f"a={OLD}:50", "--arm", f"b={NEW}:50")
    prompt("rollout", PLAN, "--end", "--keep", "b")
    history = prompt("history", PLAN, "--json").json()
    first, refused = prompt("label", PLAN, "back"), prompt("label", PLAN, "back")
    assert (refused.code, len(refused.err.splitlines()), refused.err) == (2, 1, first.err)
    assert "nothing changed" in refused.err
    assert prompt("history", PLAN, "--json").json() == history
    said = re.search(r"`llmflow prompts (label [^`]+)`", refused.err)
    assert said
    assert f"production {NEW} → {OLD}" in prompt(*said[1].split(), "--why", "an outage").err


def test_a_rollout_begins_grows_and_ends(prompt: Prompt) -> None:
    prompt.labels(OLD)
    begun = prompt("rollout", PLAN, "--arm", "a=production:90", "--arm", f"b={NEW[:5]}:10", "--by", "user")
    assert f"rollout of production → a {OLD} 90 %, b {NEW} 10 %, by user" in begun.err
    assert [line.split() for line in prompt("rollout", PLAN).out.splitlines()] == [
        *(["arm", "version", "share"], ["a", OLD, "90", "%"], ["b", NEW, "10", "%"])
    ]
    prompt("rollout", PLAN, "--arm", f"a={OLD}:50", "--arm", f"b={NEW}:50%")
    shown = prompt("rollout", PLAN, "--json").json()["production"]
    assert shown["unit"] == "user"
    assert [arm["buckets"] for arm in shown["arms"]] == [[[0, 5000]], [[5000, 10000]]]
    assert "end it first" in prompt("label", PLAN, NEW).err
    ended = prompt("rollout", PLAN, "--end", "--keep", "b").err
    assert f"50 %, b {NEW} 50 %, by user → ended\nmine/plan production {OLD} → {NEW}" in ended
    assert "no rollout of mine/plan is open" in prompt("rollout", PLAN).err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--arm", f"a={OLD}:90", "--arm", f"b={NEW}:5"], "the arms get 90 % + 5 %: make it 100 % together"),
        (["--arm", f"a={OLD}"], "write ARM=VERSION:PERCENT"),
        (["--arm", f"a={OLD}:50", "--arm", f"a={NEW}:50"], "the arm `a` is given twice"),
        (["--arm", f"a={OLD}:100", "--end"], "give --arm, with --by"),
        (["--keep", "a"], "give --arm, with --by"),
        (["--by", "user"], "give --arm, with --by"),
        (["--end"], "no rollout of `production` is open"),
    ],
)
def test_a_rollout_that_cannot_be_is_refused(prompt: Prompt, arguments: list[str], said: str) -> None:
    done = prompt("rollout", PLAN, *arguments)
    assert done.code == 2
    assert said in done.err
    assert prompt("rollout", PLAN, "--json").json() == {}


def test_history_has_everything_newest_first(prompt: Prompt) -> None:
    prompt.labels(OLD)
    prompt("rollout", PLAN, "--arm", f"a={OLD}:100", "--why", "to see")
    prompt("rollout", PLAN, "--end")
    prompt.labels(NEW, "--protect", "--why", "release 12")
    events = prompt("history", PLAN, "--json").json()
    assert [(event["kind"], event["after"]) for event in events] == [
        ("protection", "protected"),
        ("label", NEW),
        ("rollout", None),
        ("rollout", f"a {OLD} 100 %, by run"),
        ("label", OLD),
        ("version", NEW),
        ("version", OLD),
    ]
    assert [event["by"] for event in events] == ["ana"] * 5 + ["ci"] * 2
    shown = prompt("history", PLAN).out
    assert f"production {OLD} → {NEW}" in shown
    assert "release 12" in shown
    assert f"stored {NEW}" in shown
