"""A client with a codec: schedules, and replays of what it encoded."""

import uuid
from pathlib import Path

import pytest
from temporalio.client import Schedule, ScheduleSpec
from temporalio.worker import Worker

from llmflow.client import connect
from llmflow.config import Settings
from llmflow.errors import PayloadUnreadable
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider, assert_replays
from llmflow.worker import LLMFlowPlugin
from tests.helpers.ciphers import codec
from tests.helpers.waiting import until
from tests.integration.secretive import Hear, Whisper, app


async def test_a_schedule_is_encrypted_and_its_runs_replay(
    temporal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, search_attributes={"tags": None})
    plugin = LLMFlowPlugin(
        app,
        settings=settings,
        models=ModelCatalogue.only("scripted"),
        providers={"scripted": ScriptedProvider(["salmon"])},
    )
    client = await connect(address=temporal, plugin=plugin, codec=codec(), store=settings.store_url)
    queue = f"secretive-{uuid.uuid4()}"
    async with Worker(client.temporal, task_queue=queue, workflows=app.workflows):
        action = client.schedule_action(
            Whisper.run, "tuna", id=queue, task_queue=queue, tenant="acme", tags=["tuna"], user="tuna"
        )
        schedule = await client.temporal.create_schedule(queue, Schedule(action=action, spec=ScheduleSpec()))
        assert b"tuna" not in (await schedule.describe()).raw_description.SerializeToString()
        await schedule.trigger()

        async def started() -> str | None:
            runs = (await client.list(workflow="Whisper", query=f"WorkflowId STARTS_WITH '{queue}'")).runs
            return runs[0].id if runs else None

        run = client.run(str(await until(started)))

        async def asked() -> bool:
            return bool((await run.approvals()).questions)

        await until(asked)
        status = await run.status()
        assert (status.tags, status.tenant, status.user, status.unreadable) == (("tuna",), "acme", "tuna", None)
        await schedule.delete()
        await run.approve("publish", by="ana")
        assert await run.result() == "salmon, tuna is a fish"
    async for event in run.handle.fetch_history_events():
        assert b"tuna" not in event.SerializeToString()

    blind = (await connect(address=temporal)).run(run.id)
    assert "is binary/encrypted: set LLMFLOW_CODEC" in str((await blind.status()).unreadable)
    with pytest.raises(PayloadUnreadable, match="is binary/encrypted: set LLMFLOW_CODEC"):
        await blind.result()
    with pytest.raises(PayloadUnreadable, match="is binary/encrypted: set LLMFLOW_CODEC"):
        await blind.input()
    assert Hear in app.workflows
    monkeypatch.setenv("LLMFLOW_CODEC", "tests.helpers.ciphers:codec")
    await assert_replays(run, app)
