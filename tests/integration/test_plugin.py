"""The plugin alone, in a client and a worker of the user's own."""

import uuid
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Replayer, Worker

from llmflow.config import Settings
from llmflow.errors import OutputInvalid
from llmflow.plugin import LLMFlowPlugin
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider
from llmflow.worker import activities, pin_activities
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Greeting
from tests.integration.hello.workflows import Typed

GREETING = Greeting(text="hello ana", warmth=7)


async def test_a_plain_client_worker_and_replayer_need_nothing_else(temporal: str, tmp_path: Path) -> None:
    model = ScriptedProvider([GREETING, "no json", "no json"])
    served = activities(
        app, settings=Settings(home=tmp_path), models=ModelCatalogue.only("scripted"), providers={"scripted": model}
    )
    client = await Client.connect(temporal, plugins=[LLMFlowPlugin(app, activities=served)])
    queue = str(uuid.uuid4())
    async with Worker(client, task_queue=queue, workflows=[Typed]):
        handle = await client.start_workflow(Typed.run, "ana", id=str(uuid.uuid4()), task_queue=queue)
        assert await handle.result() == GREETING
        usage = await handle.query("llmflow.usage")
        assert usage["total"]["calls"] == 1

        failing = await client.start_workflow(Typed.run, "ana", id=str(uuid.uuid4()), task_queue=queue)
        with pytest.raises(WorkflowFailureError) as failed:
            await failing.result()
        assert isinstance(failed.value.cause, OutputInvalid)

    replayer = Replayer(workflows=[Typed], plugins=[LLMFlowPlugin(app)])
    await replayer.replay_workflow(await handle.fetch_history())


async def test_a_client_with_nothing_of_ours_reads_results_and_failures(temporal: str, tmp_path: Path) -> None:
    model = ScriptedProvider([GREETING])
    served = activities(
        app, settings=Settings(home=tmp_path), models=ModelCatalogue.only("scripted"), providers={"scripted": model}
    )
    ours = await Client.connect(temporal, plugins=[LLMFlowPlugin(app, activities=served)])
    plain = await Client.connect(temporal)
    queue = str(uuid.uuid4())
    async with Worker(ours, task_queue=queue, workflows=[Typed]):
        handle = await plain.start_workflow("Typed", "ana", id=str(uuid.uuid4()), task_queue=queue)
        assert await handle.result() == {"text": "hello ana", "warmth": 7}
        assert (await handle.query("llmflow.steps"))["steps"][0]["path"] == "greeting"


async def test_workflows_and_calls_may_have_workers_of_their_own(temporal: str, tmp_path: Path) -> None:
    models, settings = ModelCatalogue.only("scripted"), Settings(home=tmp_path)
    pins = pin_activities(app, settings=settings, models=models)
    calls = activities(app, settings=settings, models=models, providers={"scripted": ScriptedProvider([GREETING])})
    thinking = await Client.connect(temporal, identity="thinks", plugins=[LLMFlowPlugin(app, activities=pins)])
    calling = await Client.connect(temporal, identity="calls", plugins=[LLMFlowPlugin(app, activities=calls)])
    queue = str(uuid.uuid4())
    workflows = Worker(thinking, task_queue=queue, workflows=[Typed], no_remote_activities=True)
    async with workflows, Worker(calling, task_queue=queue):
        handle = await thinking.start_workflow(Typed.run, "ana", id=str(uuid.uuid4()), task_queue=queue)
        assert await handle.result() == GREETING
    history = (await handle.fetch_history()).events
    started = [one.activity_task_started_event_attributes for one in history]
    assert {one.identity for one in started if one.identity} == {"calls"}
