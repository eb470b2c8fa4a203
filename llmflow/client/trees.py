"""Usage of a run together with its descendants."""

from dataclasses import dataclass, field
from datetime import timedelta

from temporalio.client import Client as TemporalClient

from llmflow.history.events import child_started, continued_as, events_of, started
from llmflow.types import wire
from llmflow.types.contracts import USAGE
from llmflow.types.usage import UsageReport


@dataclass
class _Chain:
    """A continue-as-new chain of runs."""

    newest: str
    """Run id of the latest run, which has the totals of the chain."""
    is_batch: bool = False
    children: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Workflow ids and run ids of the children."""


async def usage_of_tree(temporal: TemporalClient, id: str, run_id: str, within: timedelta) -> UsageReport:
    """Add up the totals of a continue-as-new chain and its descendants; `within` limits each query."""
    chain, total = await _read(temporal, id, run_id), UsageReport()
    if not chain.is_batch:  # a batch's totals are in its parent's
        newest = temporal.get_workflow_handle(id, run_id=chain.newest)
        total = await newest.query(USAGE.name, result_type=USAGE.output, rpc_timeout=within)
    for child, its_run in chain.children:
        total += await usage_of_tree(temporal, child, its_run, within)
    return total


async def _read(temporal: TemporalClient, id: str, run_id: str) -> _Chain:
    chain, following = _Chain(run_id), run_id
    while following:
        chain.newest, following = following, ""
        async for event in events_of(temporal, id, chain.newest):
            if start := started(event):
                chain.is_batch = start.workflow_type.name == wire.BATCH
            elif child := child_started(event):
                chain.children.append((child.workflow_id, child.run_id))
            following = continued_as(event)
    return chain
