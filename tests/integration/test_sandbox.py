"""User modules stay in Temporal's sandbox, where what is not deterministic is refused."""

import asyncio
import uuid

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

from llmflow.plugin import LLMFlowPlugin

with workflow.unsafe.imports_passed_through():
    import random


@workflow.defn
class Dice:
    """Asks for a random number, which differs on replay."""

    @workflow.run
    async def run(self) -> int:
        return random.randint(1, 6)


async def test_chance_is_refused_in_user_code(temporal: str) -> None:
    client = await Client.connect(temporal, plugins=[LLMFlowPlugin()])
    queue = str(uuid.uuid4())
    async with Worker(client, task_queue=queue, workflows=[Dice]):
        handle = await client.start_workflow(Dice.run, id=str(uuid.uuid4()), task_queue=queue)
        failure = ""
        while not failure:
            events = (await handle.fetch_history()).events
            failed = [event for event in events if event.HasField("workflow_task_failed_event_attributes")]
            failure = failed[0].workflow_task_failed_event_attributes.failure.message if failed else ""
            await asyncio.sleep(0.05)
        assert "random.randint" in failure
        await handle.terminate()
