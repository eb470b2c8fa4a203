"""Budgets as people see and change them: of tenants, users, tags, Apps, keys and runs."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, select, update

from llmflow.errors import BudgetNotFound
from llmflow.stores.budgets.raises import raise_once
from llmflow.stores.budgets.reservations import first_day
from llmflow.stores.database import Database, clock
from llmflow.stores.schema import budget_raises, budgets, reservations
from llmflow.stores.upsert import insert_into
from llmflow.types.base import changed
from llmflow.types.budgets import Balance, Budget, BudgetName, Hold, Raise, RaiseRequest, Scope

_HOLDS = _RAISES = 100


async def put_budget(database: Database, of: BudgetName, budget: Budget) -> Balance:
    """Make a budget, or replace the limit and the rules of an existing one. It keeps what is spent.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    rule = {
        "usd": budget.usd,
        "unpriced": budget.unpriced,
        "uncertain": budget.uncertain,
        "full": budget.full,
        "warned": 0,
    }

    def put(connection: Connection) -> Balance:
        now = clock(connection)
        new = insert_into(database, budgets).values(
            id=f"{of.scope}/{of.period or 'ever'}:{of.name}",
            scope=of.scope,
            name=of.name,
            period=of.period,
            since=first_day(of.period, now),
            spent=Decimal(0),
            reserved=Decimal(0),
            at=now,
            **rule,
        )
        connection.execute(new.on_conflict_do_update(index_elements=budgets.primary_key, set_=rule))
        return _found(connection, of)

    return await database.write(put)


async def raise_budget(database: Database, of: BudgetName, usd: Decimal, by: str = "") -> Balance:
    """Add US dollars to the limit of a budget, open it if it is closed, and return it; the log says who did it.

    Raises:
        BudgetNotFound: there is no such budget.
        StoreUnavailable: the database does not answer.
    """
    found = await database.read(lambda connection: _row(connection, of))
    await raise_once(database, str(uuid4()), RaiseRequest(budget=found.id, usd=usd, by=by))
    return await find_budget(database, of)


async def reset_budget(database: Database, of: BudgetName) -> Balance:
    """Forget what a budget has spent, open it if it is closed, and return it. In-flight calls keep their reservations.

    Raises:
        BudgetNotFound: there is no such budget.
        StoreUnavailable: the database does not answer.
    """
    return await _change(database, of, {"spent": Decimal(0), "closed": None, "warned": 0}, forget=True)


async def find_budget(database: Database, of: BudgetName) -> Balance:
    """Return a budget, with the in-flight calls that hold its money.

    Raises:
        BudgetNotFound: there is no such budget.
        StoreUnavailable: the database does not answer.
    """
    return await database.read(lambda connection: _found(connection, of))


async def all_budgets(database: Database, scope: Scope | None = None, most: int = 100) -> Sequence[Balance]:
    """Return the budgets of a scope, the newest first; without a scope, all but those of runs.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    c = budgets.c
    query = select(budgets).where(c.scope == scope if scope else c.scope != "run").order_by(c.at.desc(), c.id)

    def read(connection: Connection) -> Sequence[Balance]:
        now = clock(connection)
        return [_balance(row, now) for row in connection.execute(query.limit(most)).all()]

    return await database.read(read)


async def _change(database: Database, of: BudgetName, values: dict[str, Any], *, forget: bool = False) -> Balance:
    """Change a row. Any: values of its columns."""

    def change(connection: Connection) -> Balance:
        row = _row(connection, of)
        if forget:  # a late bill of a forgotten call would be given back to the new sum
            c = reservations.c
            connection.execute(delete(reservations).where(c.budget == row.id, c.settled))
        connection.execute(update(budgets).where(budgets.c.id == row.id).values(values))
        return _found(connection, of)

    return await database.write(change)


def _row(connection: Connection, of: BudgetName) -> Row[Any]:  # Any: the columns of `budgets`
    c = budgets.c
    period = c.period.is_(None) if of.period is None else c.period == of.period
    # A workflow id may have had several runs.
    query = select(budgets).where(c.scope == of.scope, c.name == of.name, period).order_by(c.at.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        hint = ": a run has one from its first call on" if of.scope == "run" else ""
        raise BudgetNotFound(f"there is no budget for {of}{hint}")
    return row


def _found(connection: Connection, of: BudgetName) -> Balance:
    row, c = _row(connection, of), reservations.c
    query = select(reservations).where(c.budget == row.id, ~c.settled).order_by(c.usd.desc()).limit(_HOLDS)
    holds = tuple(
        Hold(run_id=one.run_id, activity_id=one.activity_id, attempt=one.attempt, usd=one.usd, until=one.until)
        for one in connection.execute(query).all()
    )
    c = budget_raises.c
    log = select(c.usd, c.by, c.why, c.at).where(c.budget == row.id).order_by(c.at.desc()).limit(_RAISES)
    raises = tuple(Raise.model_validate(one._asdict()) for one in connection.execute(log).all())  # pyright: ignore[reportPrivateUsage]  public in SQLAlchemy, as in namedtuples
    return changed(_balance(row, clock(connection)), holds=holds, raises=raises)


def _balance(row: Row[Any], now: datetime) -> Balance:  # Any: as above
    since = first_day(row.period, now)
    anew = since is not None and row.since < since
    spent, closed = (Decimal(0), None) if anew else (row.spent, row.closed)
    return Balance(
        scope=row.scope,
        name=row.name,
        period=row.period,
        since=since,
        usd=row.usd,
        spent=spent,
        reserved=row.reserved,
        left=row.usd - spent - row.reserved,
        unpriced=row.unpriced,
        uncertain=row.uncertain,
        full=row.full,
        closed=closed,
    )
