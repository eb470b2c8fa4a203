"""Costs out of the ledger, added up by the database, exactly."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, select, true

from llmflow.stores.database import PATIENCE, Database
from llmflow.stores.ledger.rows import ANSWERED
from llmflow.stores.reports.known_names import check_known
from llmflow.stores.reports.selection import FAILED, MAYBE_PAID, PAID, UNASKED, selected, tags_of_call
from llmflow.stores.schema import calls
from llmflow.types.reports import CallFilter, CostReport, CostRow, Dimension, Spent
from llmflow.types.usage import COUNTS, Usage

Column = ColumnElement[Any]  # Any: texts, numbers and money; the columns of a report are composed below


async def cost_report(database: Database, filter: CallFilter, by: Sequence[Dimension]) -> CostReport:
    """Report calls, tokens and money of the calls that `filter` selects, with a row for each combination of `by`.

    Raises:
        PromptNotFound, RunNotFound: no call matches, because the ledger does not know a name; names the nearest.
        StoreUnavailable: the database does not answer.
    """
    by = tuple(dict.fromkeys(by))
    found = await _read(database, filter, by)
    if not found:
        await check_known(database, filter)
    rows = [CostRow(key={one: _text(row, one) for one in by}, **dict(_spent(row))) for row in found]
    if "tag" in by:  # a call is in the row of each of its tags
        [row] = await _read(database, filter, ())
        total = _spent(row)
    else:
        total = _added(rows)
    rows.sort(key=lambda row: [value or "" for value in row.key.values()])  # the same order on every database
    rows.sort(key=lambda row: (row.key.get("day") or "", row.usd, row.calls, _unanswered(row)), reverse=True)
    return CostReport(filter=filter, by=by, rows=tuple(rows), total=total)


async def _read(database: Database, filter: CallFilter, by: Sequence[Dimension]) -> Sequence[Row[Any]]:  # Any: above
    query = _query(filter, by, sqlite=database.is_sqlite)
    return await database.read(lambda connection: connection.execute(query).all(), within=PATIENCE)


def _query(filter: CallFilter, by: Sequence[Dimension], *, sqlite: bool) -> Select[Any]:  # Any: above
    c, tag = calls.c, tags_of_call(sqlite=sqlite)
    columns: dict[Dimension, Column] = {
        "run": c.root_id,
        "day": c.day,
        "tenant": c.tenant,
        "workflow": c.workflow_type,
        "prompt": c.prompt + "@" + c.version,
        "model": func.coalesce(c.model, c.model_asked),
        "tag": tag.c.value,
        "error": case((c.outcome != ANSWERED, c.outcome)),
        "user": c.user_id,
        "item": c.item,
        "label": c.label,
        "arm": c.arm,
    }
    keys = [columns[one].label(one) for one in by]
    # An outer join, because calls without tags count as well.
    source = calls.outerjoin(tag, true()) if "tag" in by else calls
    return select(*keys, *_sums()).select_from(source).where(selected(filter, sqlite=sqlite)).group_by(*keys)


def _sums() -> list[Column]:
    c = calls.c
    return [
        func.count().filter(PAID).label("calls"),
        *(func.coalesce(func.sum(c[name]), 0).label(name) for name in COUNTS),
        func.sum(c.usd).label("usd"),
        func.count().filter(PAID, c.usd.is_(None)).label("unpriced_calls"),
        func.count().filter(FAILED).label("failed_calls"),
        func.count().filter(MAYBE_PAID).label("lost_calls"),
        func.count().filter(UNASKED).label("unasked_calls"),
        func.count(c.repriced_source).label("repriced_calls"),
        func.sum(func.coalesce(c.repriced_usd, c.usd)).label("repriced_usd"),
    ]


def _text(row: Row[Any], key: Dimension) -> str | None:  # Any: above
    value = getattr(row, key)
    return None if value is None else str(value)


def _spent(row: Row[Any]) -> Spent:  # Any: above
    usd = row.usd or Decimal(0)
    return Spent(
        calls=row.calls,
        usage=Usage(**{name: int(getattr(row, name)) for name in COUNTS}, unread={}),  # PostgreSQL adds in Decimal
        usd=usd,
        unpriced_calls=row.unpriced_calls,
        failed_calls=row.failed_calls,
        lost_calls=row.lost_calls,
        unasked_calls=row.unasked_calls,
        repriced_usd=(row.repriced_usd or Decimal(0)) if row.repriced_calls else None,
    )


def _unanswered(row: Spent) -> int:
    return row.failed_calls + row.lost_calls + row.unasked_calls


def _added(rows: Sequence[Spent]) -> Spent:
    repriced = any(row.repriced_usd is not None for row in rows)
    return Spent(
        calls=sum(row.calls for row in rows),
        usage=sum((row.usage for row in rows), Usage()),
        usd=sum((row.usd for row in rows), Decimal(0)),
        unpriced_calls=sum(row.unpriced_calls for row in rows),
        failed_calls=sum(row.failed_calls for row in rows),
        lost_calls=sum(row.lost_calls for row in rows),
        unasked_calls=sum(row.unasked_calls for row in rows),
        repriced_usd=sum((_today(row) for row in rows), Decimal(0)) if repriced else None,
    )


def _today(row: Spent) -> Decimal:
    return row.usd if row.repriced_usd is None else row.repriced_usd
