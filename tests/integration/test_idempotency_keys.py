"""Every activity knows a key for its one effect: in tasks and in threads, also where headers are encrypted."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client as TemporalClient
from temporalio.converter import DataConverter
from temporalio.worker import Worker

from llmflow import flow
from llmflow.app import App
from llmflow.client import Client
from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.tools import idempotency_key, tool
from llmflow.worker import LLMFlowPlugin
from tests.integration.test_heirs import Reversed

A_MINUTE = timedelta(minutes=1)


@tool
async def in_a_task() -> str:
    """Tell the key."""
    if activity.info().attempt == 1:
        raise LookupError("try again")
    return idempotency_key()


@tool
def in_a_thread() -> str:
    """Tell the key."""
    return idempotency_key()


@activity.defn
def of_a_user() -> str:
    return idempotency_key()


@workflow.defn
class Keys:
    """The keys of calls outside and inside of a saga."""

    @workflow.run
    async def run(self) -> list[str]:
        outside = await self.keys()
        async with flow.Saga() as saga:
            return outside + await saga.do(self.keys, undo=self.keys)

    async def keys(self) -> list[str]:
        return [
            await flow.call_tool(in_a_task),
            await flow.call_tool(in_a_thread),
            await workflow.execute_activity(of_a_user, start_to_close_timeout=A_MINUTE),
            await workflow.execute_local_activity(of_a_user, start_to_close_timeout=A_MINUTE),
        ]


app = App(name="keys", workflows=[Keys], tools=[in_a_task, in_a_thread])


async def test_every_activity_knows_its_key(temporal: str, tmp_path: Path) -> None:
    plugin = LLMFlowPlugin(
        app, settings=Settings(home=tmp_path, store=None), models=ModelCatalogue.only("scripted"), providers={}
    )
    client = await TemporalClient.connect(
        temporal,
        plugins=[plugin],
        data_converter=DataConverter(payload_codec=Reversed()),
    )
    with ThreadPoolExecutor(1) as threads:
        worker = Worker(
            client,
            task_queue=f"keys-{uuid.uuid4()}",
            workflows=[Keys],
            activities=[of_a_user],
            activity_executor=threads,
        )
        async with worker:
            run = await Client(client, worker.task_queue).start(Keys.run, id=worker.task_queue)
            keys = await run.result()
    here = f"{run.id}/{run.run_id}"
    assert keys[:4] == [f"{here}/in_a_task#1", f"{here}/in_a_thread#1", f"{here}/3", f"{here}/4"]
    assert keys[4:] == [keys[4]] * 4, "one action, one key"
    assert keys[4] == f"{here}/keys#do"
