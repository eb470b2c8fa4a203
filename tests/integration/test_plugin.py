"""The plugin alone, in a client and a worker of the user's own."""

import uuid

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Replayer, Worker

from llmflow.errors import OutputInvalid
from llmflow.plugin import LLMFlowPlugin
from llmflow.providers.catalogue import Catalogue
from llmflow.testing import ScriptedProvider
from llmflow.worker import activities
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Greeting
from tests.integration.hello.workflows import Typed

GREETING = Greeting(text="hello ana", warmth=7)


async def test_a_plain_client_worker_and_replayer_need_nothing_else(temporal: str) -> None:
    model = ScriptedProvider([GREETING, "no json", "no json"])
    served = activities(app, catalogue=Catalogue.only("scripted"), providers={"scripted": model})
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


async def test_a_client_with_nothing_of_ours_reads_results_and_failures(temporal: str) -> None:
    model = ScriptedProvider([GREETING])
    served = activities(app, catalogue=Catalogue.only("scripted"), providers={"scripted": model})
    ours = await Client.connect(temporal, plugins=[LLMFlowPlugin(app, activities=served)])
    plain = await Client.connect(temporal)
    queue = str(uuid.uuid4())
    async with Worker(ours, task_queue=queue, workflows=[Typed]):
        handle = await plain.start_workflow("Typed", "ana", id=str(uuid.uuid4()), task_queue=queue)
        assert await handle.result() == {"text": "hello ana", "warmth": 7}
        assert (await handle.query("llmflow.steps"))["steps"][0]["path"] == "greeting"
