"""`llmflow terminate`: it warns, asks where there is a person, refuses where there is none, and ends the run."""

import os
from collections.abc import Callable

import pytest

from tests.helpers.command_line import ROOT, Done, at_a_terminal, call

APP = "tests.integration.lonely:app"  # which nothing serves: to terminate a run needs no worker
WARNING = "its code no longer runs, so no compensation and no other clean-up"

Call = Callable[..., Done]


@pytest.fixture
def llmflow(temporal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("LLMFLOW_BY", "ana")
    return lambda *arguments: call(capsys, *arguments)


@pytest.fixture
def id(llmflow: Call) -> str:
    """A run."""
    started: str = llmflow("start", "--app", APP, "--json").json()["id"]
    return started


def state(llmflow: Call, id: str) -> str:
    shown: str = llmflow("status", id, "--json").json()["status"]["state"]
    return shown


@pytest.mark.parametrize(("options", "why"), [(("--reason", "started twice"), "started twice"), ((), "by ana")])
def test_with_yes(llmflow: Call, id: str, options: tuple[str, ...], why: str) -> None:
    done = llmflow("terminate", id, "--yes", *options)
    assert (done.code, done.out, done.err) == (0, "", f"terminated {id}: nothing was undone\n")
    assert f"run '{id}' was terminated: {why}" in llmflow("result", id).err


def test_as_json(llmflow: Call, id: str) -> None:
    ended = llmflow("terminate", id, "-y", "--json").json()
    assert (ended["id"], ended["state"]) == (id, "terminated")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_nobody_to_ask(llmflow: Call, id: str, options: tuple[str, ...]) -> None:
    done = llmflow("terminate", id, *options)
    said = f"error: terminating '{id}' ends it at once: {WARNING}: add --yes, or use `llmflow cancel {id}`\n"
    assert (done.code, done.out, done.err) == (2, "", said)
    assert state(llmflow, id) == "running"


@pytest.mark.parametrize("options", [(), ("--yes",)])
def test_a_run_that_has_ended(llmflow: Call, id: str, options: tuple[str, ...]) -> None:
    llmflow("terminate", id, "--yes")
    done = llmflow("terminate", id, *options)
    assert (done.code, done.out) == (4, "")
    assert done.err == f"error: run '{id}' has ended already: `llmflow status {id}` says how\n"


@pytest.mark.parametrize(
    ("answer", "code", "after"),
    [("y\n", 0, "terminated"), ("n\n", 130, "running"), ("\n", 130, "running"), ("\x04", 130, "running")],
)
def test_a_person_is_asked(llmflow: Call, id: str, temporal: str, answer: str, code: int, after: str) -> None:
    with at_a_terminal("terminate", id, temporal=temporal, columns=80) as (process, ours):
        told = ""
        while "Terminate it? [y/N]: " not in told:
            told += os.read(ours, 4096).decode()
        os.write(ours, answer.encode())
        assert process.wait() == code
    assert WARNING in " ".join(told.split())
    assert state(llmflow, id) == after
