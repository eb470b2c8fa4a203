"""Runs of a namespace, also paused ones: Temporal can pause a run, and the SDK's enum has no such status."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.enums.v1 import WorkflowExecutionStatus as Status
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, ListWorkflowExecutionsRequest
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowHandle,
)
from temporalio.converter import WorkflowSerializationContext

_PAGE = 1000
"""Runs that the server returns at once, at most."""
PROBLEMS = "TemporalReportedProblems IS NOT NULL"
"""List filter for runs whose workflow task fails repeatedly: blocked by a bug."""


def is_paused(run: WorkflowExecution) -> bool:
    """Return True for a run that Temporal itself has paused; its `status` is that of a running one."""
    return run.raw_info.status == Status.WORKFLOW_EXECUTION_STATUS_PAUSED


async def describe(client: Client, handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionDescription:
    """Describe a run, also a paused one. Any: runs of every type.

    Raises:
        RPCError: Temporal's own.
    """
    try:
        return await handle.describe()
    except ValueError:  # a status that the SDK's enum lacks
        execution = Execution(workflow_id=handle.id, run_id=handle.run_id or "")
        asked = DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
        found = await client.workflow_service.describe_workflow_execution(asked, retry=True)
        context = WorkflowSerializationContext(client.namespace, handle.id)
        return replace(
            WorkflowExecutionDescription._from_raw_info(  # pyright: ignore[reportPrivateUsage]  there is no other
                _named(found.workflow_execution_info),
                client.namespace,
                client.data_converter.with_context(context),
                raw_description=found,
            ),
            raw_info=found.workflow_execution_info,
        )


async def all_runs(client: Client, query: str | None = None) -> AsyncGenerator[WorkflowExecution]:
    """Yield all runs that a list filter of Temporal finds, also paused ones.

    Raises:
        RPCError: Temporal's own.
    """
    runs, token = await page_of_runs(client, query, _PAGE, None)
    while True:
        for run in runs:
            yield run
        if not token:
            return
        runs, token = await page_of_runs(client, query, _PAGE, token)


async def page_of_runs(
    client: Client, query: str | None, size: int, token: bytes | None
) -> tuple[Sequence[WorkflowExecution], bytes | None]:
    """Return a page of runs, also of paused ones, and the token of the next page.

    Raises:
        RPCError: Temporal's own.
    """
    listed = client.list_workflows(query, page_size=size, next_page_token=token)
    try:
        await listed.fetch_next_page()
        return listed.current_page or (), listed.next_page_token
    except ValueError:  # as above
        asked = ListWorkflowExecutionsRequest(
            namespace=client.namespace, page_size=size, next_page_token=token or b"", query=query or ""
        )
        found = await client.workflow_service.list_workflow_executions(asked, retry=True)
        runs = [
            replace(
                WorkflowExecution._from_raw_info(  # pyright: ignore[reportPrivateUsage]  there is no other
                    _named(one), client.namespace, client.data_converter
                ),
                raw_info=one,
            )
            for one in found.executions
        ]
        return runs, found.next_page_token or None


def _named(info: WorkflowExecutionInfo) -> WorkflowExecutionInfo:
    """Return a paused run as a running one, which the enum has."""
    named = WorkflowExecutionInfo()
    named.CopyFrom(info)
    if named.status == Status.WORKFLOW_EXECUTION_STATUS_PAUSED:
        named.status = Status.WORKFLOW_EXECUTION_STATUS_RUNNING
    return named
