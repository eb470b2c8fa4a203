"""The inbox: open questions of all runs, read from memos without workers."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowExecution

from llmflow.client.errors import readable_errors
from llmflow.client.search_attributes import known_attributes
from llmflow.client.status import Memos, in_state, quoted
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid
from llmflow.history.executions import all_runs
from llmflow.types.approvals import Waiting, among, approver
from llmflow.types.runs import Inbox, InboxItem


async def inbox(
    temporal: TemporalClient, approver: str | None, older_than: timedelta | None, workflow: str | None, limit: int
) -> Inbox:
    """Return open questions, the oldest first, and the runs that cannot be read; see `Client.inbox`."""
    asked_before = datetime.now(UTC) - older_than if older_than else None
    found: list[InboxItem] = []
    unreadable: dict[str, str] = {}
    async for run in _waiting_runs(temporal, workflow):
        memos = Memos(run)
        found += [
            item
            for item in await _items(run, memos)
            if (approver is None or _may_decide(approver, item.waiting))
            and (asked_before is None or item.waiting.asked_at <= asked_before)
        ]
        if memos.problem:
            unreadable[run.id] = memos.problem
    return Inbox(
        items=tuple(sorted(found, key=lambda item: item.waiting.asked_at)[:limit]),
        unreadable=tuple(unreadable),
        reason=next(iter(unreadable.values()), None),
    )


async def _waiting_runs(temporal: TemporalClient, workflow: str | None) -> AsyncGenerator[WorkflowExecution]:
    attribute = await _attribute(temporal)
    filters = [
        in_state("running"),
        f"`{attribute}` IS NOT NULL" if attribute else None,
        f"WorkflowType = {quoted(workflow)}" if workflow else None,
    ]
    async with readable_errors("the inbox"):
        async for run in all_runs(temporal, " AND ".join(one for one in filters if one)):
            yield run


async def _attribute(temporal: TemporalClient) -> str | None:
    """Return the search attribute of open approvals. Without it, the inbox reads every running run, which is slower."""
    try:
        return (await known_attributes(temporal, Settings.load().attributes)).approval
    except ConfigInvalid:  # permission to list runs may exclude search attributes
        return None


async def _items(run: WorkflowExecution, memos: Memos) -> list[InboxItem]:
    waiting = await memos.approvals()
    if not waiting:
        return []
    tenant, tags, source = await memos.tenant(), await memos.tags(), await memos.source()
    return [
        InboxItem(
            run=run.id,
            run_id=run.run_id,
            workflow=run.workflow_type,
            waiting=one,
            tenant=tenant,
            tags=tags,
            forked_from=source,
        )
        for one in waiting
    ]


def _may_decide(who: str, question: Waiting) -> bool:
    return approver(question.approvers, who) is not None and among(question.approved_by, who) is None
