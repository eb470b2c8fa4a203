"""Search attributes of a run, and the content of its page."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client as TemporalClient
from temporalio.worker import Worker

from llmflow.client import Client, Run
from llmflow.config import Settings
from llmflow.errors import RunNotCompleted
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider, assert_replays
from llmflow.types.models import ModelResponse
from llmflow.types.usage import Usage
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until
from tests.integration.conftest import Hello
from tests.integration.hello.app import app
from tests.integration.hello.workflows import Patient, Typed

PAID = ModelResponse(
    text='{"text": "hello ana", "warmth": 7}',
    model="m1",
    usage=Usage(input_tokens=10, output_tokens=2),
    reported_usd=Decimal("0.25"),
)


async def _upserts(run: Run[Any]) -> int:
    wanted = EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
    return len([event async for event in run.handle.fetch_history_events() if event.event_type == wanted])


async def _found(client: TemporalClient, query: str) -> list[str]:
    return [found.id async for found in client.list_workflows(query)]


async def test_a_run_is_found_by_cost_tag_tenant_model_and_prompt(hello: Hello) -> None:
    async with hello(ScriptedProvider([PAID])) as env:
        id = env.id()
        run = await env.client.start(Typed.run, "ana", id=id, tags=["vip"], tenant="acme")
        await run.result()

        version = next(iter((await run.usage()).by_prompt))
        for condition in (
            "LlmCostUsd > 0.2 AND LlmCostUsd < 0.3",
            "LlmTags = 'tag:vip'",
            "LlmTags = 'tenant:acme'",
            "LlmTags = 'model:scripted:m1'",
            f"LlmTags = 'prompt:{version}'",
        ):
            query = f"WorkflowId = '{id}' AND {condition}"
            await until(lambda query=query: _found(env.client.temporal, query))  # visibility follows a moment later
        assert await _upserts(run) == 1  # one event a phase, and not one a call
        await assert_replays(run, app)


async def test_a_namespace_without_the_attributes_stops_no_run(temporal: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, search_attributes={"cost": "NobodyMadeThis", "tags": None})
    plugin = LLMFlowPlugin(
        app,
        settings=settings,
        models=ModelCatalogue.only("scripted"),
        providers={"scripted": ScriptedProvider([PAID])},
    )
    client = await TemporalClient.connect(temporal, plugins=[plugin])
    async with Worker(client, task_queue="plain", workflows=app.workflows):
        run = await Client(client, "plain").start(Typed.run, "ana", id="without-attributes")
        await run.result()
        assert await _upserts(run) == 0
        await assert_replays(run, app)


async def test_more_tags_than_temporal_takes_stop_no_run(hello: Hello) -> None:
    tags = [f"{number:02}" + "ü" * 200 for number in range(30)]
    async with hello(ScriptedProvider([PAID])) as env:
        run = await env.client.start(Typed.run, "ana", id=env.id(), tags=tags)
        await run.result()
        assert await _upserts(run) == 1


async def test_a_memo_of_another_type_fails_the_run_and_does_not_hold_it_up(hello: Hello) -> None:
    async with hello(ScriptedProvider([PAID])) as env:
        for memo, says in (({"llmflow.tenant": 5}, "llmflow.tenant"), ({"llmflow.budget": "much"}, "llmflow.budget")):
            handle = await env.client.temporal.start_workflow(
                "Typed", "ana", id=env.id(), task_queue=str(env.client.task_queue), memo=memo
            )
            with pytest.raises(RunNotCompleted, match=f"InputInvalid: the memo of this run: .*{says}"):
                await env.client.run(handle.id).result()
        none = await env.client.temporal.start_workflow(
            "Typed", "ana", id=env.id(), task_queue=str(env.client.task_queue), memo={"llmflow.tags": None}
        )
        assert await none.result()


async def test_the_page_of_a_run_says_what_it_does_and_what_it_cost(hello: Hello) -> None:
    async with hello(ScriptedProvider([PAID])) as env:
        waiting = await env.client.start(Patient.run, id=env.id())
        assert "**wait**" in await until(lambda: _details(waiting))
        await waiting.terminate("seen")

        run = await env.client.start(Typed.run, "ana", id=env.id())
        await run.result()
        details = await _details(run)
        assert "- 0.2500 USD · 1 call · 10 tokens in, 2 out" in details
        assert "- model `scripted:m1`" in details


async def _details(run: Run[Any]) -> str:
    return (await run.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)).current_details
