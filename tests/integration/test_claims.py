"""The claims desk: each approved claim is paid once, whatever fails, and whatever is forked."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import JsonValue

from llmflow.client import Run
from llmflow.errors import ForkStopped, RunNotCompleted
from llmflow.providers.offline.provider import Offline
from llmflow.testing import Environment, activities_of, approve_when_asked, assert_replays, environment
from llmflow.types.approvals import Decide
from workflows.claims.app import HERE, app
from workflows.claims.schemas import Folder, Report
from workflows.claims.workflow import ClaimsDesk

LETTERS = ("C-1001", "C-1005", "C-1007", "C-1012", "C-1026")
"""One below the limit, one that is broken, two above the limit, and one whose account is closed."""


def bank(home: Path, query: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(home / "claims.db")) as file:
        return file.execute(query).fetchall()


@pytest.fixture
async def desk(temporal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Environment]:
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "letters").mkdir()
    for number in LETTERS:
        (tmp_path / f"letters/{number}.txt").write_bytes((HERE / f"documents/{number}.txt").read_bytes())
    async with environment(app, Offline(), address=temporal) as env:
        yield env


async def settled(desk: Environment) -> Run[Report]:
    run = await desk.client.start(ClaimsDesk.run, Folder(documents="letters"), id=desk.id())
    await tell(run)
    await run.result()
    return run


async def tell(run: Run[Report]) -> None:
    """Send the decisions before the questions, which take them if they are asked."""
    form: JsonValue = {"cents": 120_000, "reason": "photos are clear"}
    await run.handle.signal("llmflow.decide", Decide(approval="payment C-1007", approved=True, by="ida", form=form))
    await run.handle.signal("llmflow.decide", Decide(approval="payment C-1026", approved=False, by="jon"))


async def test_no_fork_of_any_step_pays_a_claim_again(desk: Environment, tmp_path: Path) -> None:
    run = await settled(desk)
    report = await run.result()
    assert [(one.number, one.status, one.cents, one.decided_by) for one in report.settled] == [
        ("C-1001", "paid", 7_700, "the limit"),
        ("C-1007", "paid", 120_000, "ida"),
        ("C-1026", "rejected", 0, "jon"),
    ]
    assert [one.path for one in report.unsettled] == ["C-1005.txt", "C-1012.txt"]
    assert "0000 is closed" in report.unsettled[1].reason

    payments = [("C-1001", 7_700), ("C-1007", 120_000)]
    assert bank(tmp_path, "SELECT claim, cents FROM payments ORDER BY claim") == payments
    assert bank(tmp_path, "SELECT claim FROM reserves ORDER BY claim") == [("C-1001",), ("C-1007",)], "one was undone"
    asked = sorted(bank(tmp_path, "SELECT claim, what FROM asked"))
    assert [claim for claim, what in asked if what == "pay"] == ["C-1001", "C-1007"]
    assert len(asked) == 10
    await assert_replays(run, app)

    steps = [step for step in await activities_of(run) if "undo" not in step]
    assert len(steps) > 15
    forks = [await run.fork(step) for step in steps]
    for fork in forks:
        await tell(fork)
    ends = await asyncio.gather(*(fork.result() for fork in forks), return_exceptions=True)
    whole = [step for step, end in zip(steps, ends, strict=True) if end == report]
    asks = [step for step in steps if step not in whole]
    assert asks == ["settle[3]/pay_claim#1"], "who names the payment that failed wants to make it"
    assert sorted(bank(tmp_path, "SELECT claim, what FROM asked")) == asked, "nobody outside noticed the forks"
    await assert_replays(forks[-1], app)


async def test_another_decision_does_not_pay_unasked(desk: Environment, tmp_path: Path) -> None:
    run = await settled(desk)
    asked = len(bank(tmp_path, "SELECT * FROM asked"))
    await run.fork("list")  # everything again, also the questions
    fork = await run.fork("settle[0]")
    await approve_when_asked(fork, "payment C-1007", by="jon", form={"cents": 90_000, "reason": "it was old"})
    with pytest.raises(ForkStopped, match="120000") as stopped:
        await fork.result()
    assert "90000" in stopped.value.message
    assert len(bank(tmp_path, "SELECT * FROM asked")) == asked

    fork = await run.fork("settle[0]", repeat_effects=True)
    await approve_when_asked(fork, "payment C-1007", by="jon", form={"cents": 90_000, "reason": "it was old"})
    await fork.reject("payment C-1026", by="jon")
    assert "was paid 120000 cents already" in (await fork.result()).unsettled[1].reason, "the bank has the last word"
    assert len(bank(tmp_path, "SELECT * FROM payments")) == 2


async def test_a_folder_without_letters_is_refused(desk: Environment) -> None:
    run = await desk.client.start(ClaimsDesk.run, Folder(documents="."), id=desk.id())
    with pytest.raises(RunNotCompleted, match="holds no letters"):
        await run.result()
