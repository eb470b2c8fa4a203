"""A guest changes nothing of others: a workflow that does not use llmflow is the same with the plugin as without."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, Worker

from llmflow.app import App
from llmflow.client import Client as LLMFlowClient
from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider
from llmflow.types.carried import Carried
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until
from tests.integration.hello.app import app as hello
from tests.integration.later import Later, Outer, look
from tests.integration.plain import Middle, Order, Plain, PlainChild, fetch

WORKFLOWS = [*hello.workflows, Later, Middle, Outer, Plain, PlainChild]
app = App(name="hello", workflows=[*hello.workflows, Outer], tools=[look], prompts=hello.prompts)
"""Ours, on the same worker."""


@pytest.fixture
async def ours(temporal: str, tmp_path: Path) -> Client:
    """The client of a worker with the plugin."""
    plugin = LLMFlowPlugin(
        app,
        settings=Settings(home=tmp_path, store=None),
        models=ModelCatalogue.only("scripted"),
        providers={"scripted": ScriptedProvider([])},
    )
    return await Client.connect(temporal, plugins=[plugin])


@pytest.fixture
async def queue(ours: Client) -> AsyncIterator[str]:
    queue = f"guests-{uuid.uuid4()}"
    async with Worker(ours, task_queue=queue, workflows=WORKFLOWS, activities=[fetch], max_cached_workflows=0):
        yield queue


async def _metadata(handle: WorkflowHandle[Any, Any]) -> set[str]:
    """Names of what the run answers."""
    found = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    kinds = (
        found.definition.query_definitions,
        found.definition.signal_definitions,
        found.definition.update_definitions,
    )
    return {one.name for kind in kinds for one in kind if not one.name.startswith("__")}


async def _both_runs(client: Client, queue: str) -> tuple[int, list[list[HistoryEvent]]]:
    """Return the result of the second run about its input, and both histories."""
    first = await client.start_workflow(Plain.run, Order(what="first"), id=str(uuid.uuid4()), task_queue=queue)
    await until(lambda: _has_child_of(first))
    assert await _metadata(first) == {"go_on"}
    await first.signal(Plain.go_on)
    last = client.get_workflow_handle_for(Plain.run, first.id)
    await until(lambda: _is_another(last, first.first_execution_run_id))
    last = client.get_workflow_handle_for(Plain.run, first.id, run_id=(await last.describe()).run_id)
    await until(lambda: _has_child_of(last))
    assert await _metadata(last) == {"go_on"}
    await last.signal(Plain.go_on)
    copies = await last.result()
    begun = client.get_workflow_handle_for(Plain.run, first.id, run_id=first.first_execution_run_id)
    return copies, [list((await one.fetch_history()).events) for one in (begun, last)]


async def _has_child_of(handle: WorkflowHandle[Any, Any]) -> bool:
    done = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED
    return any([event.event_type == done async for event in handle.fetch_history_events()])


async def _is_another(handle: WorkflowHandle[Any, Any], run_id: str | None) -> bool:
    return (await handle.describe()).run_id != run_id


async def test_a_plain_workflow_is_the_same_with_the_plugin_as_without(ours: Client, queue: str, temporal: str) -> None:
    copies, with_it = await _both_runs(ours, queue)
    assert copies == 0
    assert not [event for events in with_it for event in events if "llmflow" in str(event)]

    bare = await Client.connect(temporal, data_converter=pydantic_data_converter)
    alone = f"bare-{uuid.uuid4()}"
    workflows = [Plain, PlainChild]
    async with Worker(bare, task_queue=alone, workflows=workflows, activities=[fetch], max_cached_workflows=0):
        _, without = await _both_runs(bare, alone)
    assert [_kinds(events) for events in with_it] == [_kinds(events) for events in without]

    for events in (*with_it, *without):
        history = WorkflowHistory(events[0].workflow_execution_started_event_attributes.workflow_id, events)
        await Replayer(workflows=workflows, data_converter=pydantic_data_converter).replay_workflow(history)
        await Replayer(workflows=workflows, plugins=[LLMFlowPlugin(app)]).replay_workflow(history)


def _kinds(events: list[HistoryEvent]) -> list[str]:
    """Without workflow tasks, which depend on how fast others are."""
    names = [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events]
    return [name for name in names if not name.startswith("WORKFLOW_TASK_")]


async def test_a_workflow_in_no_app_is_ours_from_its_first_verb(ours: Client, queue: str) -> None:
    run = await ours.start_workflow(Later.run, "a book", id=str(uuid.uuid4()), task_queue=queue)
    # It comes before anybody hears it, and waits.
    await run.signal("llmflow.decide", {"approval": "publish", "approved": True, "by": "ana"})
    assert await _metadata(run) == {"go_on"}

    await run.signal(Later.go_on)
    assert await run.result() == ["a book, seen", "ana"]
    assert {"go_on", "llmflow.decide", "llmflow.usage", "llmflow.steps"} < await _metadata(run)
    steps = await run.query("llmflow.steps")
    assert [step["path"] for step in steps["steps"]] == ["look"]
    replayer = Replayer(workflows=WORKFLOWS, plugins=[LLMFlowPlugin(app)])
    await replayer.replay_workflow(await run.fetch_history())


async def test_a_child_of_ours_belongs_to_its_tree_whatever_it_is(ours: Client, queue: str) -> None:
    run = await LLMFlowClient(ours, queue).start(Outer.run, "ana", id=str(uuid.uuid4()), tenant="acme", tags=["vip"])
    assert await run.result() == "You greet people."
    innermost = ours.get_workflow_handle(f"{run.id}-child-child")
    start = (await innermost.fetch_history()).events[0]
    header = start.workflow_execution_started_event_attributes.header.fields["llmflow"]
    carried = Carried.model_validate_json(header.data)
    assert (carried.origin.tenant, carried.origin.tags, carried.origin.root) == ("acme", ("vip",), run.id)
