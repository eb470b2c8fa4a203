"""Repricing: the ledger by current price lists, in columns of its own, never over the frozen ones."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, select, tuple_, update

from llmflow.stores.database import PATIENCE, Database
from llmflow.stores.ledger.paid_calls import LedgerCall
from llmflow.stores.reports.known_names import check_known
from llmflow.stores.reports.selection import PAID, selected
from llmflow.stores.schema import calls
from llmflow.types.base import changed
from llmflow.types.refs import ModelRef
from llmflow.types.reports import CallFilter, Repriced, RepriceReport
from llmflow.types.usage import VENDOR, Cost, Usage

BATCH = 1000
"""Rows of one transaction."""

Found = Row[Any]  # Any: the columns of `calls`
_KEY = tuple(calls.primary_key)


async def reprice(
    database: Database,
    filter: CallFilter,
    price: Callable[[LedgerCall], Cost],
    *,
    write: bool,
    progress: Callable[[int, int], None],
    at_once: int = BATCH,
) -> RepriceReport:
    """Price the paid calls that `filter` selects, and compare the sums with the frozen ones.

    Args:
        database: Database of the ledger.
        filter: Selection of calls.
        price: Cost of a call by current price lists; `None` if they do not know it.
        write: Into `repriced_usd` and `repriced_source`, but never an unknown price over a known one; else nothing is
            changed.
        progress: Called with the number of calls done, and of all.
        at_once: Calls of one transaction.

    Raises:
        PromptNotFound, RunNotFound: no call matches, because the ledger does not know a name; names the nearest.
        StoreUnavailable: the database does not answer. Rows already written stay, and may be written again.
    """
    where = and_(selected(filter, sqlite=database.is_sqlite), PAID)
    priced = and_(where, calls.c.price_source != VENDOR)
    total = await _count(database, priced)
    rows: dict[str, Repriced] = {}
    done = 0
    async with aclosing(_batches(database, priced, at_once)) as batches:
        async for batch in batches:
            costs = [price(_recorded(row)) for row in batch]
            if write:
                await _keep(database, batch, costs)
            for row, cost in zip(batch, costs, strict=True):
                rows[row.model] = _plus(rows.get(row.model) or Repriced(model=row.model), row, cost)
            done += len(batch)
            progress(done, total)
    vendor_calls = await _count(database, and_(where, calls.c.price_source == VENDOR))
    if not rows and not vendor_calls:
        await check_known(database, filter)
    dearest_first = sorted(rows.values(), key=lambda row: row.usd, reverse=True)
    return RepriceReport(rows=tuple(dearest_first), vendor_calls=vendor_calls, written=write)


async def _count(database: Database, where: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(calls).where(where)
    return await database.read(lambda connection: connection.scalar(query), within=PATIENCE) or 0


async def _batches(database: Database, where: ColumnElement[bool], at_once: int) -> AsyncGenerator[Sequence[Found]]:
    query = select(calls).where(where).order_by(*_KEY).limit(at_once)
    batch = await database.read(lambda connection: connection.execute(query).all(), within=PATIENCE)
    while batch:
        yield batch
        last = batch[-1]
        after = query.where(tuple_(*_KEY) > (last.run_id, last.activity_id, last.attempt))
        batch = await database.read(lambda connection, query=after: connection.execute(query).all(), within=PATIENCE)


async def _keep(database: Database, batch: Sequence[Found], costs: Sequence[Cost]) -> None:
    same = and_(*(column == bindparam(f"of_{column.name}") for column in _KEY))
    statement = (
        update(calls).where(same).values(repriced_usd=bindparam("to_usd"), repriced_source=bindparam("to_source"))
    )
    values = [
        {
            "of_run_id": row.run_id,
            "of_activity_id": row.activity_id,
            "of_attempt": row.attempt,
            "to_usd": cost.usd,
            "to_source": cost.source,
        }
        for row, cost in zip(batch, costs, strict=True)
        if cost.usd is not None or row.repriced_usd is None  # a price that an earlier, better list knew stays
    ]
    if values:
        await database.write(lambda connection: connection.execute(statement, values))


def _recorded(row: Found) -> LedgerCall:
    return LedgerCall(
        asked=row.model_asked,
        answered=ModelRef.parse(row.model).model,
        usage=Usage(**{name: getattr(row, name) for name in Usage.model_fields}),
        at=row.at,
        tier=row.tier,
        region=row.region,
        base_url=row.base_url,
    )


def _plus(sums: Repriced, row: Found, cost: Cost) -> Repriced:
    difference = sums.difference_usd
    if row.usd is not None and cost.usd is not None:
        difference = (difference or Decimal(0)) + cost.usd - row.usd
    return changed(
        sums,
        calls=sums.calls + 1,
        usd=sums.usd + (row.usd or 0),
        unpriced_calls=sums.unpriced_calls + (row.usd is None),
        repriced_usd=sums.repriced_usd + (cost.usd or 0),
        repriced_unpriced_calls=sums.repriced_unpriced_calls + (cost.usd is None),
        difference_usd=difference,
    )
