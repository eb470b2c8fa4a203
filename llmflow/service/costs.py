"""Costs by the ledger: reports, comparisons of prompt versions, and repricing of recorded calls."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Literal

from llmflow.stores.database import Database
from llmflow.stores.ledger.paid_calls import LedgerCall
from llmflow.stores.reports.comparison import compare
from llmflow.stores.reports.costs import cost_report
from llmflow.stores.reports.repricing import reprice
from llmflow.types.reports import CallFilter, Comparison, CostReport, Dimension, RepriceReport
from llmflow.types.usage import Cost

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


async def report_costs(database: Database, filter: CallFilter, by: Sequence[Dimension]) -> CostReport:
    """Report what was spent: in the last 30 days, unless days or a run are named.

    Raises:
        PromptNotFound, RunNotFound: the ledger does not know a name of the filter; names the nearest.
        StoreUnavailable: the database does not answer.
    """
    return await cost_report(database, recent(filter), by)


async def compare_versions(
    database: Database, prompt: str, filter: CallFilter, by: Literal["version", "model"]
) -> Comparison:
    """Compare the versions of a prompt, or the models that answered it.

    Raises:
        PromptNotFound, RunNotFound: the ledger does not know a name of the filter; names the nearest.
        StoreUnavailable: the database does not answer.
    """
    return await compare(database, prompt, filter, by)


async def reprice_calls(
    database: Database,
    filter: CallFilter,
    price: Callable[[LedgerCall], Cost],
    *,
    write: bool,
    progress: Callable[[int, int], None],
) -> RepriceReport:
    """Price recorded calls again, and compare with what was frozen.

    Args:
        database: Database of the ledger.
        filter: Selection of calls.
        price: Cost of a call by current price lists, as `llmflow.worker.recorded_price` makes it.
        write: Keep the new prices beside the frozen ones.
        progress: Called with the number of calls done, and of all.

    Raises:
        PromptNotFound, RunNotFound: the ledger does not know a name of the filter; names the nearest.
        StoreUnavailable: the database does not answer.
    """
    return await reprice(database, filter, price, write=write, progress=progress)


def recent(filter: CallFilter, now: datetime | None = None) -> CallFilter:
    """Select the calls of the last 30 days, unless days or a run are named.

    Args:
        filter: Selection so far.
        now: The clock's time if left out.
    """
    if filter.since or filter.until or filter.run:
        return filter
    today = (now or datetime.now(UTC)).date()
    return filter.model_copy(update={"since": today - _USUAL + timedelta(days=1)})
