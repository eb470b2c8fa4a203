"""Runs that Temporal itself has paused: a status that the SDK's enum lacks."""

import uuid

from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest

from llmflow.client import Client, connect
from llmflow.history.references import references
from tests.helpers.hasty import server_with
from tests.helpers.waiting import until


async def test_a_paused_run_is_shown_and_listed() -> None:
    async with server_with("frontend.WorkflowPauseEnabled=true") as address:
        temporal = (await connect(address=address)).temporal
        client, id = Client(temporal, "nobody-serves-this"), f"paused-{uuid.uuid4()}"
        run = await client.start("Hello", "ana", id=id, tags=["quiet"])
        asked = PauseWorkflowExecutionRequest(
            namespace=temporal.namespace, workflow_id=id, identity="ana", reason="a look"
        )
        await temporal.workflow_service.pause_workflow_execution(asked)

        found = await run.status()
        assert (found.state, found.paused, found.tags) == ("running", True, ("quiet",))

        async def listed_as_paused() -> bool:
            page = await client.list(state="running", limit=10)
            return [(one.id, one.state, one.paused) for one in page.runs] == [(id, "running", True)]

        await until(listed_as_paused)
        assert not (await client.inbox()).items, "readable"
        assert len([found async for found in references(temporal)]) == 1, "the sweep of the storage reads it, too"
        await run.terminate("seen enough")
