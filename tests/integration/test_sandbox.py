"""Workflows stay in Temporal's sandbox, where what is not deterministic is refused, also beside tools."""

import asyncio
import uuid
from datetime import date
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from llmflow import worker
from llmflow.app import load_app
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid, RunNotCompleted
from llmflow.plugin import LLMFlowPlugin
from llmflow.testing import ScriptedProvider, activities_of, approve_when_asked, assert_replays, environment
from tests.integration import one_file
from tests.integration.one_file import ASKED, Chance, Class, Ticket, Travel, app, booked


async def test_chance_is_refused_in_user_code(temporal: str) -> None:
    client = await Client.connect(temporal, plugins=[LLMFlowPlugin(app)])
    queue = str(uuid.uuid4())
    async with Worker(client, task_queue=queue, workflows=[Chance]):
        handle = await client.start_workflow(Chance.run, "random.random", id=str(uuid.uuid4()), task_queue=queue)
        failure = ""
        while not failure:
            events = (await handle.fetch_history()).events
            failed = [event for event in events if event.HasField("workflow_task_failed_event_attributes")]
            failure = failed[0].workflow_task_failed_event_attributes.failure.message if failed else ""
            await asyncio.sleep(0.05)
        assert "random.random" in failure
        await handle.terminate()


@pytest.mark.parametrize("asked", ASKED)
async def test_chance_and_the_clock_are_refused_beside_a_tool(temporal: str, asked: str) -> None:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        run = await env.client.start(Chance.run, asked, id=env.id())
        with pytest.raises(RunNotCompleted, match=f"Cannot access {asked}"):
            await run.result()


async def test_a_worker_says_which_imports_do_not_belong_beside_a_workflow(
    temporal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = Path(one_file.__file__).read_text("utf-8").partition("    prompts=")[0]
    (tmp_path / "with_httpx.py").write_text(f"import httpx\n{code})\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    heavy = load_app("with_httpx:app")
    with pytest.raises(ConfigInvalid, match=r"workflow Chance: .*urllib\.request.* into a module without workflows"):
        await worker.run(heavy, settings=Settings(models="offline"), address=temporal)


async def test_tools_and_types_work_beside_their_workflow(temporal: str) -> None:
    wish = Ticket(place="Rome", seat=Class.FIRST)
    async with environment(app, ScriptedProvider([wish]), address=temporal) as env:
        run = await env.client.start(Travel.run, ["Bern", "Oslo"], id=env.id())
        await approve_when_asked(run, "wipe", by="ana")
        result = await run.result()
        await assert_replays(run, app)
        called = await activities_of(run)
    bern = Ticket(place="Bern", seat=Class.FIRST, day=date(2026, 2, 3), file=Path("ticket.pdf"))
    assert result.ticket == bern.model_copy(update={"day": date(2026, 4, 5)})
    assert result.tickets == [bern, bern.model_copy(update={"place": "Oslo"})]
    assert result.wish == wish
    assert (result.undone, booked, result.wiped) == ("not Bern", set(), "forgot Bern, Oslo")
    assert {name.rpartition("/")[2] for name in called} >= {"book#1", "cancel#1", "look_up#1", "refuse#1", "wipe#1"}
