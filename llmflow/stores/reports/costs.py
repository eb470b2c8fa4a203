"""Costs out of the ledger, added up by the database, exactly."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, select, true

from llmflow.stores.database import PATIENCE, Database
from llmflow.stores.ledger.rows import ANSWERED, CHARGED, REUSED
from llmflow.stores.reports.known_names import check_known
from llmflow.stores.reports.selection import (
    FAILED,
    MAYBE_PAID,
    PAID,
    SPENT_BY_TOOL,
    TAKEN,
    UNASKED,
    selected,
    tags_of_call,
)
from llmflow.stores.reports.sums import Column, money, usd_of
from llmflow.stores.reports.zones import date_of, local_day
from llmflow.stores.schema import calls
from llmflow.types.reports import CallFilter, CostReport, CostRow, Dimension, Spent
from llmflow.types.usage import COUNTS, CostParts, Usage

_PARTS = (*CostParts.model_fields, "reused_usd")
_AMOUNTS = (*_PARTS, "undivided_usd", "charged_usd")
_IN_TIME: tuple[Dimension, ...] = ("day", "month")


async def cost_report(
    database: Database, filter: CallFilter, by: Sequence[Dimension], zone: tzinfo = UTC
) -> CostReport:
    """Report calls, tokens and money of the calls that `filter` selects, with a row for each combination of `by`.

    Args:
        database: The store.
        filter: Selection of calls.
        by: Dimensions of the rows.
        zone: Time zone of days and months.

    Raises:
        PromptNotFound, RunNotFound: no call matches, because the ledger does not know a name; names the nearest.
        StoreUnavailable: the database does not answer.
    """
    by = tuple(dict.fromkeys(by))
    found = await _read(database, filter, by, zone)
    if not found:
        await check_known(database, filter)
    rows = [CostRow(key=key, **dict(spent)) for key, spent in _by_key(found, by)]
    if "tag" in by:  # a call is in the row of each of its tags
        [row] = await _read(database, filter, (), zone)
        total = _spent(row)
    else:
        total = _added(rows)
    rows.sort(key=lambda row: [value or "" for value in row.key.values()])  # the same order on every database
    rows.sort(key=lambda row: (*_times(row), row.usd, row.calls, _unanswered(row)), reverse=True)
    return CostReport(filter=filter, by=by, zone=str(zone), rows=tuple(rows), total=total)


async def _read(
    database: Database, filter: CallFilter, by: Sequence[Dimension], zone: tzinfo
) -> Sequence[Row[Any]]:  # Any: above
    which = selected(filter, sqlite=database.is_sqlite)
    day: Column = calls.c.day
    if zone is not UTC and {*by} & {*_IN_TIME}:
        span = select(func.min(calls.c.at), func.max(calls.c.at)).where(which)
        first, last = await database.read(lambda connection: connection.execute(span).one(), within=PATIENCE)
        if first is None:
            return ()
        day = local_day(calls.c.at, zone, first, last)
    query = _query(which, by, day, sqlite=database.is_sqlite)
    return await database.read(lambda connection: connection.execute(query).all(), within=PATIENCE)


def _query(
    which: ColumnElement[bool], by: Sequence[Dimension], day: Column, *, sqlite: bool
) -> Select[Any]:  # Any: above
    c, tag = calls.c, tags_of_call(sqlite=sqlite)
    columns: dict[Dimension, Column] = {
        "run": c.root_id,
        "day": day,
        "month": day,
        "tenant": c.tenant,
        "workflow": c.workflow_type,
        "prompt": case((c.prompt != "", c.prompt + "@" + c.version)),
        "model": func.coalesce(c.model, c.model_asked),
        "tag": tag.c.value,
        "error": case((c.outcome.not_in((ANSWERED, REUSED, CHARGED)), c.outcome)),
        "user": c.user_id,
        "item": c.item,
        "label": c.label,
        "arm": c.arm,
    }
    keys = [columns[one].label(one) for one in by]
    # An outer join, because calls without tags count as well.
    source = calls.outerjoin(tag, true()) if "tag" in by else calls
    return select(*keys, *_sums()).select_from(source).where(which).group_by(*keys)


def _sums() -> list[Column]:
    c = calls.c
    unbilled = MAYBE_PAID & c.usd.is_(None)  # the cost of one with a bill is known
    return [
        func.count().filter(PAID).label("calls"),
        *(func.coalesce(func.sum(c[name]), 0).label(name) for name in COUNTS),
        *money("usd", c.usd),
        func.count().filter(PAID, c.usd.is_(None)).label("unpriced_calls"),
        func.count().filter(FAILED).label("failed_calls"),
        func.count().filter(MAYBE_PAID).label("lost_calls"),
        *money("lost_low_usd", case((unbilled, c.low_usd))),
        *money("lost_high_usd", case((unbilled, c.high_usd))),
        func.count().filter(unbilled, c.high_usd.is_(None)).label("lost_unknown_calls"),
        func.count().filter(UNASKED).label("unasked_calls"),
        func.count().filter(TAKEN).label("reused_calls"),
        *(column for name in _PARTS for column in money(name, c[name])),
        func.count().filter(SPENT_BY_TOOL).label("charges"),
        *money("charged_usd", case((SPENT_BY_TOOL, c.usd))),
        *money("undivided_usd", case((c.input_usd.is_(None) & ~SPENT_BY_TOOL, c.usd))),
        func.count(c.repriced_source).label("repriced_calls"),
        *money("repriced_usd", func.coalesce(c.repriced_usd, c.usd)),
    ]


def _by_key(
    found: Iterable[Row[Any]], by: Sequence[Dimension]
) -> Iterable[tuple[dict[Dimension, str | None], Spent]]:  # Any: above
    """Return the sums by key: the days of a month are rows of the database."""
    rows: dict[tuple[str | None, ...], list[Spent]] = defaultdict(list)
    for row in found:
        rows[tuple(_text(row, one) for one in by)].append(_spent(row))
    return [(dict(zip(by, key, strict=True)), _added(spent)) for key, spent in rows.items()]


def _text(row: Row[Any], key: Dimension) -> str | None:  # Any: above
    value = getattr(row, key)
    if key in _IN_TIME:
        day = value if isinstance(value, date) else date_of(value)
        return str(day) if key == "day" else f"{day:%Y-%m}"
    return None if value is None else str(value)


def _spent(row: Row[Any]) -> Spent:  # Any: above
    return Spent(
        calls=row.calls,
        usage=Usage(**{name: int(getattr(row, name)) for name in COUNTS}, unread={}),  # PostgreSQL adds in Decimal
        usd=usd_of(row, "usd"),
        unpriced_calls=row.unpriced_calls,
        failed_calls=row.failed_calls,
        lost_calls=row.lost_calls,
        lost_low_usd=usd_of(row, "lost_low_usd"),
        lost_high_usd=usd_of(row, "lost_high_usd"),
        lost_unknown_calls=row.lost_unknown_calls,
        unasked_calls=row.unasked_calls,
        reused_calls=row.reused_calls,
        charges=row.charges,
        **{name: usd_of(row, name) for name in _AMOUNTS},
        repriced_usd=usd_of(row, "repriced_usd") if row.repriced_calls else None,
    )


def _times(row: CostRow) -> tuple[str, ...]:
    return tuple(row.key.get(one) or "" for one in _IN_TIME)


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
        lost_low_usd=sum((row.lost_low_usd for row in rows), Decimal(0)),
        lost_high_usd=sum((row.lost_high_usd for row in rows), Decimal(0)),
        lost_unknown_calls=sum(row.lost_unknown_calls for row in rows),
        unasked_calls=sum(row.unasked_calls for row in rows),
        charges=sum(row.charges for row in rows),
        reused_calls=sum(row.reused_calls for row in rows),
        **{name: sum((getattr(row, name) for row in rows), Decimal(0)) for name in _AMOUNTS},
        repriced_usd=sum((_today(row) for row in rows), Decimal(0)) if repriced else None,
    )


def _today(row: Spent) -> Decimal:
    return row.usd if row.repriced_usd is None else row.repriced_usd
