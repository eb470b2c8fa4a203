"""What a run has used together with everything below it."""

from dataclasses import dataclass, field
from datetime import timedelta

from temporalio.client import Client as TemporalClient

from llmflow.history.events import child_started, continued_as, events_of, started
from llmflow.types import wire
from llmflow.types.contracts import USAGE
from llmflow.types.usage import UsageReport


@dataclass
class _Chain:
    """A run and those that continue it."""

    newest: str
    """Its run id. It has the totals of all."""
    is_batch: bool = False
    children: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Ids and run ids."""


async def usage_of_tree(temporal: TemporalClient, id: str, run_id: str, within: timedelta) -> UsageReport:
    """The totals of a run, of those that continue it, and of all runs below them; `within` is for each answer."""
    chain, total = await _read(temporal, id, run_id), UsageReport()
    if not chain.is_batch:  # which has told its parent
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
