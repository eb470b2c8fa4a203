"""`llmflow steps`: what a run has done, and what it has undone."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from llmflow.errors import RunNotCompleted
from llmflow.testing import ScriptedProvider, environment
from llmflow.types.contracts import DECIDE
from tests.helpers.command_line import Done, call
from tests.integration.trips import Odd, Trip, app

Call = Callable[..., Awaitable[Done]]


@pytest.fixture
def llmflow(temporal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """A command line that means the server of the tests."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))
    return lambda *arguments: asyncio.to_thread(call, capsys, *arguments)  # a command has an event loop of its own


async def test_the_steps_of_a_run(temporal: str, llmflow: Call) -> None:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        run = await env.client.start(Trip.run, ["hotel", "late"], id=env.id())
        assert await run.result() == ["ticket for hotel", "ticket for late"]
        run = await env.client.start(Trip.run, ["hotel", "late", "full"], id=env.id())
        with pytest.raises(RunNotCompleted):
            await run.result()
        bare = await env.client.start(Odd.run, "closed", id=env.id())
        with pytest.raises(RunNotCompleted):
            await bare.result()

        done = await llmflow("steps", run.id)
        assert [line.split()[:2] for line in done.out.splitlines() if line] == [
            ["✗", "trip"],
            ["✓", "book"],
            ["✓", "undo"],
            ["✓", "book#2"],
            ["✗", "undo"],
            ["✗", "book#3"],
            ["✓", "undo"],
            ["compensations"],
            ["✓", "undone"],
            ["✗", "failed"],
            ["key", (await run.progress()).compensations[1].key],
            ["✓", "undone"],
            ["run", repr(run.id)],  # how it all ended
        ]
        assert "trip/book#2  by cancel  ToolRefused: too late" in done.out

        report = (await llmflow("steps", run.id, "--json")).json()
        assert [step["path"] for step in report["steps"]][:3] == ["trip", "trip/book", "trip/book#2"]
        assert [one["status"] for one in report["compensations"]] == ["undone", "failed", "undone"]

        status = await llmflow("status", run.id)
        assert "1 of 3 could not be undone, look after them: trip/book#2 (cancel: ToolRefused: too late)" in status.out
        assert "✗ failed  trip/book#2  by cancel" in status.out

        assert (await llmflow("steps", bare.id)).err.startswith("this run has no steps")

        asked = await env.client.start(Odd.run, "rejected", id=env.id())
        await asked.handle.signal(DECIDE.name, {"approval": "pay", "approved": False, "by": "ana"})
        with pytest.raises(RunNotCompleted):
            await asked.result()
        for command in ("steps", "status"):
            assert "pay#1: rejected by ana, " in (await llmflow(command, asked.id)).out

        nobody = await env.client.start(Odd.run, "closed", id=env.id(), task_queue=env.id())
        unserved = await llmflow("steps", nobody.id)
        assert (unserved.code, unserved.out) == (3, "")
        assert "no worker serves task queue" in unserved.err
        await nobody.terminate("nobody ever came")


async def test_a_failure_says_which_call_it_was(temporal: str, llmflow: Call) -> None:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        run = await env.client.start(Trip.run, ["full"], id=env.id())
        with pytest.raises(RunNotCompleted):
            await run.result()
        said = f"run {run.id!r} failed in trip/book/book#1: ToolRefused: full: nothing free"
        for command in ("steps", "status"):
            assert said in (await llmflow(command, run.id)).out
        assert (await llmflow("steps", run.id, "--json")).json()["failure"] == said
