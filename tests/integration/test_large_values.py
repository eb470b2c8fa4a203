"""Large values with `LLMFLOW_STORAGE`: none of them is in a history, and all that read it still do."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import Client as TemporalClient
from temporalio.worker import Worker

from llmflow import flow
from llmflow.app import App
from llmflow.client import connect
from llmflow.config import Settings
from llmflow.errors import BlobMissing, PayloadUnreadable, RunNotCompleted
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.sdk.contexts import ContextFreeSandbox
from llmflow.testing import ScriptedProvider, assert_replays
from llmflow.tools import tool
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until

SUMMARIZE = flow.Prompt("large/summarize", user="Summarize {{ document }}.", model="fast")


@tool
async def copy(document: str, times: int = 1) -> str:
    """Copy a document.

    Args:
        document: The document.
        times: How often.
    """
    return document * times


@workflow.defn
class Reads:
    """Takes a document as its argument, and passes it to a prompt, a tool, a child, a memo and its result."""

    @workflow.run
    async def run(self, document: str) -> str:
        await flow.complete(SUMMARIZE, {"document": document})
        copied = await flow.call_tool(copy, document)
        workflow.upsert_memo({"document": copied})
        decision = await flow.approval("publish", {"document": copied}, timeout=timedelta(days=1))
        return await workflow.execute_child_workflow(Hears.run, f"{decision.comment} {copied}")


@workflow.defn
class Hears:
    @workflow.run
    async def run(self, document: str) -> str:
        return document


@workflow.defn
class Large:
    """Returns 3 MB, which Temporal does not take."""

    @workflow.run
    async def run(self) -> int:
        return len(await flow.call_tool(copy, "0123456789", times=300_000))


app = App(name="large", workflows=[Hears, Large, Reads], tools=[copy])
DOCUMENT = "A tuna is a fish. " * 17_000


def plugin(home: Path, storage: Path | None) -> LLMFlowPlugin:
    return LLMFlowPlugin(
        app,
        settings=Settings(home=home, storage=str(storage) if storage else None),
        models=ModelCatalogue.only("scripted"),
        providers={"scripted": ScriptedProvider(lambda _: "a fish")},
    )


async def test_a_document_of_300_kb_is_in_no_history(
    temporal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = tmp_path / "storage"
    client = await connect(address=temporal, plugin=plugin(tmp_path, storage))
    queue = f"large-{uuid.uuid4()}"
    async with Worker(client.temporal, task_queue=queue, workflows=app.workflows) as worker:
        assert type(worker.config(active_config=True)["workflow_runner"]) is ContextFreeSandbox, "it costs no contexts"
        run = await client.start(Reads.run, DOCUMENT, id=queue, task_queue=queue)

        async def asked() -> bool:
            return bool((await run.approvals()).questions)

        await until(asked)
        [question] = (await run.approvals()).questions
        assert question.payload == {"document": DOCUMENT}
        await run.approve("publish", by="ana", comment="yes:")
        assert await run.result() == f"yes: {DOCUMENT}"
        fork = await run.fork("copy")
        large = await client.start(Large.run, id=f"{queue}-3-mb", task_queue=queue)
        assert await large.result() == 3_000_000

    events = [event.SerializeToString() async for event in run.handle.fetch_history_events()]
    assert len(events) > 30
    assert not [event for event in events if DOCUMENT[:1000].encode() in event], "only a title is"
    status = await run.status()
    assert status.history_bytes < 30_000
    assert await run.input() == DOCUMENT
    monkeypatch.setenv("LLMFLOW_STORAGE", str(storage))
    await assert_replays(run, app)

    monkeypatch.delenv("LLMFLOW_STORAGE")
    without = (await connect(address=temporal)).run(run.id)
    with pytest.raises(PayloadUnreadable, match=f"a value of '{queue}' is in external storage: set LLMFLOW_STORAGE"):
        await without.result()
    other = (await connect(address=temporal, storage=str(tmp_path / "other"))).run(run.id)
    with pytest.raises(PayloadUnreadable, match="a value is in another external storage: set LLMFLOW_STORAGE"):
        await other.result()
    for blob in storage.glob("v1/*/*/*"):
        blob.unlink()
    with pytest.raises(BlobMissing, match="external storage has no value"):
        await run.result()
    assert (await fork.status()).state == "running", "a worker has yet to read what is missing now"


async def test_a_worker_without_the_storage_fails_no_run(temporal: str, tmp_path: Path) -> None:
    with_storage = await connect(address=temporal, storage=str(tmp_path / "storage"))
    queue = f"large-{uuid.uuid4()}"
    run = await with_storage.start(Hears.run, DOCUMENT, id=queue, task_queue=queue)
    blind = await TemporalClient.connect(temporal, plugins=[plugin(tmp_path, None)])
    async with Worker(blind, task_queue=queue, workflows=app.workflows):

        async def stuck() -> str | None:
            return (await run.status()).stuck

        assert "external storage is not configured" in str(await until(stuck))
    async with Worker(with_storage.temporal, task_queue=queue, workflows=[Hears]):
        assert await run.result() == DOCUMENT


async def test_a_value_that_is_lost_fails_the_run(temporal: str, tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    client = await connect(address=temporal, plugin=plugin(tmp_path, storage))
    queue = f"large-{uuid.uuid4()}"
    run = await client.start(Hears.run, DOCUMENT, id=queue, task_queue=queue)
    [blob] = storage.glob("v1/*/*/*")
    blob.write_bytes(b"\0other bytes")
    async with Worker(client.temporal, task_queue=queue, workflows=app.workflows):
        with pytest.raises(RunNotCompleted, match="failed: BlobMissing: external storage has other bytes") as failed:
            await run.result()
    assert isinstance(failed.value.__cause__, BlobMissing)
