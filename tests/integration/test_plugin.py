"""The plugin alone, in a client and a worker of the user's own."""

import uuid
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Replayer, Worker

from llmflow import worker
from llmflow.app import App
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid, OutputInvalid
from llmflow.plugin import LLMFlowPlugin
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider
from llmflow.types.providers import Provider, ProviderSettings
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Greeting
from tests.integration.hello.workflows import Typed
from tests.integration.neighbours import North, South, north, south

GREETING = Greeting(text="hello ana", warmth=7)


async def test_a_plain_client_worker_and_replayer_need_nothing_else(temporal: str, tmp_path: Path) -> None:
    model = ScriptedProvider([GREETING, "no json", "no json"])
    plugin = worker.LLMFlowPlugin(
        app, settings=Settings(home=tmp_path), models=ModelCatalogue.only("scripted"), providers={"scripted": model}
    )
    client = await Client.connect(temporal, plugins=[plugin])
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
    plugin = worker.LLMFlowPlugin(
        app, settings=Settings(home=tmp_path), models=ModelCatalogue.only("scripted"), providers={"scripted": model}
    )
    ours = await Client.connect(temporal, plugins=[plugin])
    plain = await Client.connect(temporal)
    queue = str(uuid.uuid4())
    async with Worker(ours, task_queue=queue, workflows=[Typed]):
        handle = await plain.start_workflow("Typed", "ana", id=str(uuid.uuid4()), task_queue=queue)
        assert await handle.result() == {"text": "hello ana", "warmth": 7}
        assert (await handle.query("llmflow.steps"))["steps"][0]["path"] == "greeting"


async def test_workflows_and_calls_may_have_workers_of_their_own(temporal: str, tmp_path: Path) -> None:
    models, settings = ModelCatalogue.only("scripted"), Settings(home=tmp_path)
    model = ScriptedProvider([GREETING])
    without = worker.LLMFlowPlugin(app, settings=settings, models=models, providers={})
    with_model = worker.LLMFlowPlugin(app, settings=settings, models=models, providers={"scripted": model})
    thinking = await Client.connect(temporal, identity="thinks", plugins=[without])
    calling = await Client.connect(temporal, identity="calls", plugins=[with_model])
    queue = str(uuid.uuid4())
    workflows = Worker(thinking, task_queue=queue, workflows=[Typed], no_remote_activities=True)
    async with workflows, Worker(calling, task_queue=queue):
        handle = await thinking.start_workflow(Typed.run, "ana", id=str(uuid.uuid4()), task_queue=queue)
        assert await handle.result() == GREETING
    history = (await handle.fetch_history()).events
    started = [one.activity_task_started_event_attributes for one in history]
    assert {one.identity for one in started if one.identity} == {"calls"}


def with_models(app: App, folder: Path, answer: str) -> App:
    """The App, with a provider of its own behind names that other Apps have too."""
    path = folder / f"{app.name}.yaml"
    path.write_text(f"models: {{fast: 'mine:{answer}'}}\n")
    return replace(app, models=path, providers={"mine": lambda settings: ScriptedProvider(lambda _: answer)})


async def test_one_worker_serves_several_apps(temporal: str, tmp_path: Path) -> None:
    apps = with_models(north, tmp_path, "Cold"), with_models(south, tmp_path, "Warm")
    client = await Client.connect(
        temporal, plugins=[worker.LLMFlowPlugin(*apps, settings=Settings(home=tmp_path, models=None))]
    )
    queue = str(uuid.uuid4())
    async with Worker(client, task_queue=queue, workflows=[North, South]):
        assert await client.execute_workflow(North.run, "ana", id=f"{queue}-n", task_queue=queue) == "COLD"
        assert await client.execute_workflow(South.run, "south/a", id=f"{queue}-s", task_queue=queue) == "warm"
        # The prompt decides: a workflow may ask those of the other App.
        assert await client.execute_workflow(South.run, "north/b", id=f"{queue}-o", task_queue=queue) == "cold"
        lost = await client.start_workflow(South.run, "east/c", id=f"{queue}-e", task_queue=queue)
        with pytest.raises(WorkflowFailureError) as failed:
            await lost.result()
    assert "call it `north/...` or `south/...`" in str(failed.value.cause)
    replayer = Replayer(workflows=[North, South], plugins=[LLMFlowPlugin(*apps)])
    await replayer.replay_workflow(await client.get_workflow_handle(f"{queue}-n").fetch_history())


async def test_workflows_alone_need_no_provider(temporal: str, tmp_path: Path) -> None:
    def broken(settings: ProviderSettings) -> Provider:
        raise ConfigInvalid("nobody may ask a model here")

    app = replace(with_models(south, tmp_path, "x"), providers={"mine": broken})
    plugin = worker.LLMFlowPlugin(app, settings=Settings(home=tmp_path, models=None))
    client = await Client.connect(temporal, plugins=[plugin])
    Worker(client, task_queue="alone", workflows=[South], no_remote_activities=True)
    with pytest.raises(ConfigInvalid, match="nobody may ask a model here"):
        Worker(client, task_queue="alone", workflows=[South])


async def test_two_plugins_are_refused(temporal: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"two LLMFlowPlugin objects: give the client one with all Apps"):
        await Client.connect(temporal, plugins=[LLMFlowPlugin(north), worker.LLMFlowPlugin(south)])
    plugin = worker.LLMFlowPlugin(south)
    client = await Client.connect(temporal, plugins=[plugin])
    for second in (plugin, LLMFlowPlugin(south)):
        with warnings.catch_warnings(action="ignore"), pytest.raises(ConfigInvalid, match="two LLMFlowPlugin objects"):
            Worker(client, task_queue="two", workflows=[South], plugins=[second])  # Temporal warns of the first case
    with pytest.raises(ConfigInvalid, match="two LLMFlowPlugin objects"):
        Replayer(workflows=[South], plugins=[LLMFlowPlugin(), LLMFlowPlugin(south)])
