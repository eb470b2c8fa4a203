"""`llmflow watch`: for people, for programs, and after an offset."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llmflow.testing import Environment, ScriptedProvider, environment
from tests.helpers.command_line import Done, call
from tests.integration.live import Chapter, app


@pytest.fixture
async def env(temporal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Environment]:
    store = str(tmp_path / "llmflow.db")
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("LLMFLOW_STORE", store)
    async with environment(
        app, ScriptedProvider(["Two words.", "Three words more."]), address=temporal, store=store
    ) as env:
        yield env


async def test_a_run_is_watched(env: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    async def watch(*arguments: str) -> Done:
        return await asyncio.to_thread(call, capsys, "watch", run.id, *arguments)

    run = await env.client.start(Chapter.run, "sagas", id=env.id())
    done = await watch("--json")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0
    assert [event["type"] for event in events if event["type"] != "text_delta"] == [
        *("run_started", "step_opened", "call_started", "call_ended"),
        *("tool_called", "tool_returned", "step_closed", "run_ended"),
    ]
    after = next(event["offset"] for event in events if event["type"] == "tool_called")
    rest = [json.loads(line)["type"] for line in (await watch("--json", "--after", after)).out.splitlines()]
    assert rest == ["tool_returned", "step_closed", "run_ended"]
    shown = [line.partition("  ")[2].strip() for line in (await watch()).out.splitlines()]
    assert [line.partition("  ")[0] for line in shown] == [
        *("▶ Chapter", "┌ chapter", "… chapter/complete#1", "", "✓ chapter/complete#1"),
        *("… chapter/count#1", "✓ chapter/count#1", "✓ chapter", "✓ completed"),
    ]
    assert (await watch("--after", "17")).code == 2
    assert (await asyncio.to_thread(call, capsys, "watch", "no-such-run")).code == 4
    await (await env.client.start(Chapter.run, "forks", id=env.id())).result()
    run = await env.client.start(Chapter.run, "no answer is left", id=env.id())
    assert (await watch()).code == 1
