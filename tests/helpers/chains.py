"""Runs that continue as new."""

from typing import Any

from temporalio.api.enums.v1 import EventType

from llmflow.client import Run
from llmflow.testing import Environment


async def chain(env: Environment, run: Run[Any]) -> list[Run[Any]]:  # Any: runs of every type
    """Return the run and those that continue it."""
    runs = [env.client.run(run.id, run.run_id)]
    while True:
        last = (await runs[-1].handle.fetch_history()).events[-1]
        if last.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            return runs
        new = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        runs.append(env.client.run(run.id, new))
