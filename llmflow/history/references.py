"""References to external storage in everything that Temporal keeps of a namespace."""

import re
from collections.abc import AsyncGenerator

from google.protobuf.message import Message
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from llmflow.history.events import events_of
from llmflow.history.executions import all_runs, describe

_HASH = re.compile(rb'"sha256":\s*"([0-9a-f]{64})"')
_PAGE = 1000


async def references(client: Client) -> AsyncGenerator[frozenset[str]]:
    """Yield the hashes that each retained run, then each schedule, refers to, from anywhere in it.

    Every text that looks like a reference counts, so what is kept is more rather than less.

    Raises:
        RPCError: Temporal's own. Then not all references are known.
    """
    async for run in all_runs(client):
        found = _hashes(run.raw_info)
        try:
            async for event in events_of(client, run.id, run.run_id):
                found |= _hashes(event)
            if run.status is WorkflowExecutionStatus.RUNNING:  # heartbeats and last failures of pending activities
                handle = client.get_workflow_handle(run.id, run_id=run.run_id)
                found |= _hashes((await describe(client, handle)).raw_description)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # deleted since it was listed
                raise
        yield frozenset(found)
    async for schedule in await client.list_schedules(page_size=_PAGE):
        try:
            yield frozenset(_hashes((await client.get_schedule_handle(schedule.id).describe()).raw_description))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


def _hashes(message: Message) -> set[str]:
    return {found.decode() for found in _HASH.findall(message.SerializeToString())}
