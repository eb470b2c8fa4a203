"""Comparison of the versions of a prompt: money, time, failures, and scores of their runs."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import chain
from statistics import fmean
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Row, Select, and_, case, distinct, func, or_, select

from llmflow.stores.database import PATIENCE, Database
from llmflow.stores.ledger.rows import ANSWERED, REFUSED
from llmflow.stores.reports.intervals import against, mean, share
from llmflow.stores.reports.known_names import check_known
from llmflow.stores.reports.selection import FAILED, PAID, TAKEN, selected
from llmflow.stores.schema import calls, scores
from llmflow.types.base import changed
from llmflow.types.reports import CallFilter, ComparedRow, Comparison, Interval

Found = Row[Any]  # Any: numbers and texts; the queries below name the columns
Query = Select[Any]  # Any: as above
Where = ColumnElement[bool]
Key = ColumnElement[str]
Columns = list[ColumnElement[Any]]  # Any: as above
_Scored = Mapping[str, Mapping[str, Sequence[float]]]
"""Values of runs by the score's name and by family: a run and its forks."""


async def compare(
    database: Database, prompt: str, filter: CallFilter, by: Literal["version", "model"] = "version"
) -> Comparison:
    """Compare the versions of a prompt, or the models that it asked, with 95 % confidence intervals.

    Raises:
        PromptNotFound: the ledger has no call of it; names the nearest.
        RunNotFound: it has no call of another name of the filter; likewise.
        StoreUnavailable: the database does not answer.
    """
    filter = changed(filter, prompt=prompt)
    where = and_(selected(filter, sqlite=database.is_sqlite), ~TAKEN)
    key = (calls.c.version if by == "version" else calls.c.model_asked).label("key")
    totals = await _read(database, _totals(key, where))
    if not totals:
        await check_known(database, filter)
    ended = {row.key: row for row in await _read(database, _ended(key, where))}
    times = {row.key: row for row in await _read(database, _times(key, where, calls.c.latency_ms))}
    begun = {row.key: row for row in await _read(database, _times(key, where, calls.c.first_token_ms))}
    scored = _scored(await _read(database, _scores(key, where)))
    rows = [
        _row(row, ended[row.key], times.get(row.key), begun.get(row.key), _means(scored.get(row.key, {})))
        for row in totals
    ]
    most = max(rows, key=lambda row: row.runs, default=None)
    if most is None or len(rows) == 1:
        return Comparison(prompt=prompt, by=by, baseline=None, rows=tuple(rows))
    judged = tuple(row if row is most else _judged(row, most, scored) for row in rows)
    return Comparison(prompt=prompt, by=by, baseline=most.key, rows=judged)


def _totals(key: Key, where: Where) -> Query:
    c = calls.c
    columns: Columns = [
        func.count(distinct(c.root_id)).label("runs"),
        # A model that never answers would look cheap if its runs counted although another model answered.
        func.count(distinct(c.root_id)).filter(PAID).label("answered_runs"),
        func.count().filter(PAID).label("calls"),
        func.sum(c.usd).label("usd"),
        func.count().filter(PAID, c.usd.is_(None)).label("unpriced_calls"),
        func.count().filter(PAID, c.repair == 0).label("first"),
        func.count().filter(PAID, c.repair == 1).label("reasked"),
    ]
    return select(key, *columns).where(where).group_by(key).order_by(func.max(c.at).desc())


def _ended(key: Key, where: Where) -> Query:
    """Count the ends of calls, not of attempts, because attempts of one call fail together."""
    c = calls.c
    answered = func.max(case((c.outcome == ANSWERED, 1), else_=0)).label("answered")
    failed = func.max(case((or_(FAILED, c.outcome == REFUSED), 1), else_=0)).label("failed")
    each = select(key, answered, failed).where(where).group_by(key, c.run_id, c.activity_id).subquery()
    columns: Columns = [
        func.count().filter(each.c.answered == 1).label("answered"),
        func.count().filter(and_(each.c.answered == 0, each.c.failed == 1)).label("failed"),
    ]
    return select(each.c.key, *columns).group_by(each.c.key)


def _times(key: Key, where: Where, time: Column[int]) -> Query:
    """Compute percentiles by nearest rank, because SQLite has no function for them."""
    place = func.row_number().over(partition_by=key, order_by=time).label("place")
    number = func.count().over(partition_by=key).label("number")
    ranked = select(key, time.label("time"), place, number).where(where, PAID, time.is_not(None)).subquery()
    columns: Columns = [
        func.max(ranked.c.time).filter(ranked.c.place == (ranked.c.number * percent + 99) // 100).label(name)
        for name, percent in {"p50": 50, "p95": 95}.items()
    ]
    return select(ranked.c.key, *columns).group_by(ranked.c.key)


def _scores(key: Key, where: Where) -> Query:
    """Return one value for each run and name, because people who score the same run score the same thing."""
    family = func.coalesce(func.max(calls.c.fork_of), calls.c.root_id).label("family")
    runs = select(key, calls.c.root_id, family).where(where).group_by(key, calls.c.root_id).subquery()
    columns: Columns = [runs.c.key, runs.c.family, scores.c.name, func.avg(scores.c.value).label("value")]
    joined = select(*columns).join(scores, scores.c.root_id == runs.c.root_id)
    return joined.group_by(runs.c.key, runs.c.family, scores.c.name, runs.c.root_id).order_by(scores.c.name)


def _row(
    total: Found, ended: Found, times: Found | None, begun: Found | None, scored: dict[str, Interval]
) -> ComparedRow:
    known = total.usd is not None and not total.unpriced_calls
    return ComparedRow(
        key=total.key,
        runs=total.runs,
        calls=total.calls,
        usd=total.usd or Decimal(0),
        unpriced_calls=total.unpriced_calls,
        usd_per_run=total.usd / total.answered_runs if known and total.answered_runs else None,
        latency_p50=times.p50 / 1000 if times else None,
        latency_p95=times.p95 / 1000 if times else None,
        first_token_p50=begun.p50 / 1000 if begun else None,
        failures=share(ended.failed, ended.answered + ended.failed),
        # A re-ask may fall into another month than the call that it repeats.
        reasks=share(min(total.reasked, total.first), total.first),
        scores=scored,
    )


def _scored(rows: Sequence[Found]) -> Mapping[str, _Scored]:
    values: dict[str, dict[str, dict[str, list[float]]]] = {}
    for row in rows:
        values.setdefault(row.key, {}).setdefault(row.name, {}).setdefault(row.family, []).append(row.value)
    return values


def _means(scored: _Scored) -> dict[str, Interval]:
    return {name: mean([*chain.from_iterable(families.values())]) for name, families in scored.items()}


def _judged(row: ComparedRow, baseline: ComparedRow, scored: Mapping[str, _Scored]) -> ComparedRow:
    judged: dict[str, Interval | None] = {}
    for name, one in row.scores.items():
        ours, theirs = scored[row.key][name], scored.get(baseline.key, {}).get(name, {})
        pairs = [fmean(ours[family]) - fmean(theirs[family]) for family in ours if family in theirs]
        judged[name] = against(one, baseline.scores.get(name), pairs)
    failures, reasks = against(row.failures, baseline.failures), against(row.reasks, baseline.reasks)
    return changed(row, failures=failures, reasks=reasks, scores=judged)


async def _read(database: Database, query: Query) -> Sequence[Found]:
    return await database.read(lambda connection: connection.execute(query).all(), within=PATIENCE)
