"""Resets of runs, as `temporal workflow reset` makes them."""

import uuid
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from llmflow.client import Client, Run
from llmflow.history.events import scheduled

AnyRun = Run[Any]  # Any: results of every type


async def reset_before(client: Client, run: AnyRun, activity_id: str) -> AnyRun:
    """Reset a run to the workflow task that scheduled an activity, and return the new run."""
    calls = [call for event in (await run.handle.fetch_history()).events if (call := scheduled(event))]
    [at] = [call.workflow_task_completed_event_id for call in calls if call.activity_id == activity_id]
    return await reset_to(client, run, at)


async def reset_to(client: Client, run: AnyRun, task: int) -> AnyRun:
    """Reset a run to the event that ends a workflow task, and return the new run."""
    done = await client.temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=run.id, run_id=run.run_id or ""),
            reason="again from there",
            request_id=str(uuid.uuid4()),
            workflow_task_finish_event_id=task,
        )
    )
    return client.run(run.id, done.run_id)
