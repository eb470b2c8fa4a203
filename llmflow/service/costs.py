"""Costs by the ledger: reports, comparisons of prompt versions, and repricing of recorded calls."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta, tzinfo

from llmflow.stores.database import Database
from llmflow.stores.reports.comparison import compare
from llmflow.stores.reports.costs import cost_report
from llmflow.stores.reports.repricing import reprice
from llmflow.types.base import changed
from llmflow.types.reports import CallFilter, CostReport, Dimension

__all__ = ["compare", "ledger", "recent", "report_costs", "reprice"]

_USUAL = timedelta(days=30)
"""Days of a report that names neither days nor a run, today included."""


@asynccontextmanager
async def ledger(store: str) -> AsyncGenerator[Database]:
    """Open the store at a URL. It must exist: a new one would report that nothing was ever spent.

    Raises:
        ConfigInvalid: it has no usable URL, or an older schema, or is a missing file.
        StoreUnavailable: it does not answer.
    """
    async with Database(store, create=False) as database:
        yield database


async def report_costs(
    database: Database, filter: CallFilter, by: Sequence[Dimension], zone: tzinfo = UTC
) -> CostReport:
    """Report what was spent: in the last 30 days, unless days or a run are named. Days are those of the time zone.

    Raises:
        PromptNotFound, RunNotFound: the ledger does not know a name of the filter; names the nearest.
        StoreUnavailable: the database does not answer.
    """
    return await cost_report(database, recent(filter, zone), by, zone)


def recent(filter: CallFilter, zone: tzinfo = UTC, now: datetime | None = None) -> CallFilter:
    """Select the calls of the last 30 days, unless days or a run are named.

    Args:
        filter: Selection so far.
        zone: Time zone of the days.
        now: The clock's time if left out.
    """
    if filter.since or filter.until or filter.run:
        return filter
    first = (now or datetime.now(UTC)).astimezone(zone).date() - _USUAL + timedelta(days=1)
    return changed(filter, since=first if zone is UTC else datetime.combine(first, time.min, zone))
