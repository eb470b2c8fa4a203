"""`llmflow prompts`, the commands that read files: they need no server and no key."""

import asyncio
import sys
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest

from llmflow.prompts.in_code import prompt_in_code
from llmflow.prompts.prompt import Prompts
from llmflow.stores.database import Database
from llmflow.stores.prompts.registry import Registry
from llmflow.types.prompts import Prompt
from llmflow.types.refs import PromptRef
from tests.helpers.calls import NOON, a_call
from tests.helpers.command_line import Done, call
from tests.helpers.ledger import keep

PLAN = "---\nmodel: smart\nmetadata: {owner: ana}\n---\nuser:\nPlan {{ goal }}.\n"
MINE = """\
from pathlib import Path

from llmflow.app import App

HERE = Path(__file__).parent
app = App(name="mine", workflows=[], prompts=HERE / "prompts", models=HERE / "models.yaml")
"""
MODELS = "providers:\n  local: {api: chat, base_url: 'http://127.0.0.1:9/v1'}\nmodels:\n  smart: [local:big]\n"


class Project:
    """An App in a folder, and a store of its own."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.app = f"{root.name}.app:app"
        self.plan = root / "prompts/plan.prompt"
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Done:
        """`llmflow prompts ...`, with `APP` for the option that names the App."""
        words = (("--app", self.app) if word == "APP" else (word,) for word in arguments)
        return call(self._capsys, "prompts", *chain.from_iterable(words))

    def make_store(self) -> None:
        """An empty project."""
        assert call(self._capsys, "store", "upgrade").code == 0

    def push(self, text: str) -> str:
        """Edit the file, and store it; return its version."""
        self.plan.write_text(text)
        [row] = self("push", "APP", "--json").json()
        return row["version"]

    def used(self, version: str, *, hours: int = 0) -> None:
        """Record a call of a model with this version."""
        ref, at = PromptRef(name="mine/plan", version=version), NOON + timedelta(hours=hours)

        async def record() -> None:
            async with Database(str(self.root.parent / "store.db")) as database:
                await keep(database, a_call(version, prompt=ref, at=at))

        asyncio.run(record())


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Project:
    root = tmp_path / f"mine_{tmp_path.name}"  # a module is imported once in a process
    (root / "prompts").mkdir(parents=True)
    for name, text in {"app.py": MINE, "models.yaml": MODELS, "prompts/plan.prompt": PLAN, "__init__.py": ""}.items():
        (root / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setenv("LLMFLOW_STORE", str(tmp_path / "store.db"))
    monkeypatch.setenv("LLMFLOW_BY", "ana")
    return Project(root, capsys)


def test_list(project: Project) -> None:
    lines = [line.split() for line in project("list", "APP").out.splitlines()]
    assert lines[0] == ["prompt", "version", "model", "variables"]
    assert [lines[1][0], *lines[1][2:]] == ["mine/plan", "smart", "goal"]

    old = project.push(PLAN)
    project("label", "mine/plan", old)
    assert project("list", "APP").out.splitlines()[1].split() == ["mine/plan", old, "production", "smart", "goal"]
    new = project.push(PLAN.replace("Plan", "Think of"))
    listed = project("list", "APP")
    assert listed.out.splitlines()[1].split() == ["mine/plan", new, "production", old, "smart", "goal"]
    [row] = project("list", "APP", "--json").json()
    assert (row["version"], row["labels"], row["rollouts"]) == (new, {"production": old}, {})
    project("rollout", "mine/plan", "--arm", f"a={old}:99.5", "--arm", f"b={new}:0.5")
    listed = project("list", "APP").out
    assert f"production a {old} 99.5 %" in listed
    assert f"production b {new} 0.5 %" in listed


def test_show_of_the_file_and_of_the_store(project: Project) -> None:
    old = project.push(PLAN)
    project("label", "mine/plan", old, "staging")
    new = project.push(PLAN.replace("Plan", "Think of"))
    shown = project("show", "APP", "mine/plan")
    assert "prompts/plan.prompt" in shown.out
    assert "user:\nThink of {{ goal }}." in shown.out
    for word in (old, old[:5], "staging"):
        assert "user:\nPlan {{ goal }}." in project("show", "APP", f"mine/plan@{word}").out
    assert project("show", "APP", f"mine/plan@{new}", "--json").json()["version"] == new
    assert project("show", "APP", "mine/plan@file", "--json").json()["metadata"] == {"owner": "ana"}


def test_a_prompt_in_code_is_known_once_it_is_stored(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    greet = prompt_in_code(Prompt("mine/greet", user="Greet {{ name }}.", model="smart"))

    async def served() -> None:
        database = Database(str(project.root.parent / "store.db"))
        async with database:
            await Registry(database, Prompts()).add(greet, "ana")

    unknown = project("show", "APP", "mine/greet")
    assert (unknown.code, "serves no prompt `mine/greet`" in unknown.err) == (4, True)
    asyncio.run(served())
    listed = project("list", "APP")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["prompt", "mine/greet", "mine/plan"]
    assert "without a file, in the store: mine/greet" in listed.err
    assert "user:\nGreet {{ name }}." in project("show", "APP", "mine/greet").out
    assert "user:\nPlan {{ goal }}." in project("show", "APP", "mine/plan").out
    doctor = call(capsys, "doctor", "--app", project.app)
    assert "1 prompt without a file in the store" in " ".join(doctor.out.split())


def test_diff_is_from_the_label_to_the_file(project: Project) -> None:
    old = project.push(PLAN)
    project("label", "mine/plan", old)
    new = project.push(PLAN.replace("Plan", "Think of"))
    assert project("diff", "APP", "mine/plan").out.splitlines() == [
        f"--- mine/plan@{old} (production)",
        f"+++ mine/plan@{new} (file)",
        *("@@ -3,4 +3,4 @@", " metadata: {owner: ana}", " ---", " user:"),
        *("-Plan {{ goal }}.", "+Think of {{ goal }}."),
    ]
    back = project("diff", "APP", "mine/plan", "file", old[:4], "--json").json()
    assert (back["from"], back["to"]) == (new, old)
    assert "+Plan" in back["diff"]

    project.plan.write_text(PLAN.replace("ana", "bo"))
    same = project("diff", "APP", "mine/plan")
    assert "+metadata: {owner: bo}" in same.out
    assert f"both are mine/plan@{old}: only comments" in same.err


def test_diff_without_a_label_is_from_the_newest_other_version(project: Project) -> None:
    project.make_store()
    project.make_store()
    assert project("diff", "APP", "mine/plan").code == 4, "nothing is stored"
    old = project.push(PLAN)
    alone = project("diff", "APP", "mine/plan")
    assert (alone.code, alone.out) == (0, "")
    assert "no label production yet: the store has no version but the file's" in alone.err
    project.plan.write_text(PLAN.replace("Plan", "Think of"))
    edited = project("diff", "APP", "mine/plan")
    assert edited.out.startswith(f"--- mine/plan@{old} (in the store)\n+++ mine/plan@")
    assert f"this is from {old}, the newest version in the store that is not the file's" in edited.err
    project.push(project.plan.read_text())
    assert project("diff", "APP", "mine/plan").out == edited.out
    said = project("diff", "APP", "mine/plan", "production").err
    assert "`mine/plan` has no label `production` yet: runs that follow it get the file. The store has" in said
    assert f"{old}. Say one of these instead, or `file`" in said


def test_pull_writes_what_is_stored_and_never_over_what_is_not(project: Project) -> None:
    old = project.push(PLAN)
    new = project.push(PLAN.replace("Plan", "Think of"))
    project("label", "mine/plan", old)
    assert f"wrote mine/plan@{old}" in project("pull", "APP", "mine/plan").err
    assert project.plan.read_text() == PLAN
    assert "nothing to do" in project("pull", "APP", "mine/plan").err

    project.plan.write_text("user:\nnobody has this yet")
    refused = project("pull", "APP", f"mine/plan@{new[:6]}")
    assert (refused.code, project.plan.read_text()) == (2, "user:\nnobody has this yet")
    assert "has a text that the store does not have" in refused.err
    done = project("pull", "APP", f"mine/plan@{new}", "--force", "--json").json()
    assert (done["version"], done["written"]) == (new, True)

    project.plan.unlink()
    assert project("pull", "APP", "mine/plan").code == 0
    assert project.plan.read_text() == PLAN


def test_push_says_what_is_new(project: Project) -> None:
    first = project("push", "APP")
    assert "stored mine/plan@" in first.err
    assert "1 prompt, 1 new version" in first.err
    assert "no new versions" in project("push", "APP").err
    assert [row["new"] for row in project("push", "APP", "--json").json()] == [False]


def test_check_says_each_drift_and_how_to_mend_it(project: Project) -> None:
    def drifts() -> list[str]:
        done = project("check", "APP")
        said = project("check", "APP", "--json")
        assert done.code == said.code == (1 if done.out else 0)
        return done.out.splitlines()

    old = project.push(PLAN)
    assert drifts() == []
    project.plan.write_text(PLAN.replace("Plan", "Dream of"))
    assert "which is not stored" in drifts()[0]
    project.plan.write_text(PLAN)
    project("label", "mine/plan", old)
    assert drifts() == []
    new = project.push(PLAN.replace("Plan", "Think of"))
    assert f"production is {old}, and the file is {new}" in drifts()[0]
    assert f"llmflow prompts label mine/plan {new} production" in drifts()[1]
    project("rollout", "mine/plan", "--arm", f"a={old}:50", "--arm", f"b={new}:50")
    assert f"a rollout of production is open, a {old} 50 %, b {new} 50 %, by run" in drifts()[0]
    project("rollout", "mine/plan", "--end", "--keep", "b")
    assert drifts() == []

    models = project.root / "models.yaml"
    models.write_text(MODELS.replace("smart:", "clever:"))
    assert any(f"no run can use {new}, which production is" in line for line in drifts())
    models.write_text(MODELS)

    project.plan.rename(project.plan.with_name("other.prompt"))
    project("push", "APP")
    assert "mine/plan  it has the label production, but no longer a file" in drifts()[0]
    project("label", "mine/plan", "none")
    assert drifts() == [], "a version without a label is history, which stays"


def test_check_does_not_say_that_workers_have_the_files(project: Project) -> None:
    old = project.push(PLAN)
    agreed = project("check", "APP")
    assert "the store has the versions of the files of mine, and no label points elsewhere\n" in agreed.err
    assert "1 prompt without the label production: their runs follow the files of the workers" in agreed.err

    new = project.push(PLAN.replace("Plan", "Think of"))
    project.used(old)
    stale = project("check", "APP")
    assert (stale.code, stale.out.splitlines()[1].strip()) == (0, f"→ llmflow prompts label mine/plan {new} production")
    assert f"used {old}, and the file is {new}" in stale.out
    [found] = project("check", "APP", "--json").json()
    assert (found["kind"], found["prompt"]) == ("used", "mine/plan")

    project("label", "mine/plan", new)
    mended = project("check", "APP")
    assert (mended.code, mended.out, "follow the files" in mended.err) == (0, "", False)
    project("label", "mine/plan", "none")
    project.used(new, hours=1)
    assert project("check", "APP").out == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", "APP", "mine/paln"], 4, "no prompt `mine/paln` (did you mean `mine/plan`?)"),
        (["show", "APP", "mine/plan@99"], 4, "the store has no prompt `mine/plan`"),
        (["list", "-a", "tests.integration.hello.app"], 5, "write it as `package.module:attribute`"),
        (["list", "-a", "tests.integration.hello.ap:app"], 5, "there is no module 'tests.integration.hello.ap'"),
        (["list", "-a", "tests.integration.hello.app:ap"], 5, "has no App named 'ap'; it has app"),
        (["pull", "APP", "plan"], 2, "its prompts are called mine/..."),
        (["pull", "APP", "mine/plan"], 4, "`llmflow prompts push` stores those of an App"),
        (["label", "mine/plan", "file"], 2, "no App is named: add `--app"),
        (["history", "mine/plan"], 4, "the store has no prompt `mine/plan`, and no other"),
    ],
)
def test_what_is_not_there(project: Project, arguments: list[str], code: int, said: str) -> None:
    project.make_store()
    done = project(*arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("error: ")
    assert said in done.err
    assert len(done.err.splitlines()) == 1
