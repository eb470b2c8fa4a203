"""Settlement of reservations when the call has ended: the money is spent, or given back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, delete, func, literal, select, update

from llmflow.stores.budgets.reservations import of_attempt
from llmflow.stores.database import Database
from llmflow.stores.schema import Dollars, budgets, reservations
from llmflow.types.budgets import BudgetWarning
from llmflow.types.usage import dollars

_SHARES = (50, 80, 100)
"""Percent of a limit at which people are warned."""


@dataclass(frozen=True, kw_only=True)
class Charge:
    """Cost of one attempt."""

    run_id: str
    activity_id: str
    attempt: int
    usd: Decimal | None
    """`None` if it is unknown."""


async def close_overdue(database: Database, now: datetime, most: int) -> tuple[Sequence[str], Sequence[BudgetWarning]]:
    """Count overdue reservations as spent.

    The worker of the attempt was killed or the run terminated, and the call may have been made.

    Returns:
        The record of each attempt, as it was given to `Budgets.reserve`; if there are `most`, more may be left. And the
        warnings of `settle`.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    c = reservations.c
    some = select(c.run_id, c.activity_id, c.attempt, c.lost).where(~c.settled, c.until < now).distinct().limit(most)

    def close(connection: Connection) -> tuple[Sequence[str], Sequence[BudgetWarning]]:
        found = {
            Charge(run_id=run, activity_id=id, attempt=attempt, usd=None): lost
            for run, id, attempt, lost in connection.execute(some).all()
        }
        warnings = settle(connection, list(found))
        return list(found.values()), warnings

    return await database.write(close)


def settle(connection: Connection, charges: Sequence[Charge]) -> Sequence[BudgetWarning]:
    """Give back the money that attempts did not cost. Of one with an unknown cost, the assumed cost counts.

    Runs in the transaction that records the calls. An attempt without a reservation changes nothing, nor does a settled
    one, unless its cost became known only now. A bill beyond its reservation is counted whole, and closes the budget.

    Returns:
        A warning for each budget that has passed a share of its limit.
    """
    # The same order everywhere, because each row is locked until the end: otherwise two workers deadlock.
    ordered = sorted(charges, key=lambda charge: (charge.run_id, charge.activity_id, charge.attempt))
    moves = [move for charge in ordered for move in _moves(connection, charge)]
    found = [_apply(connection, move) for move in sorted(moves, key=lambda move: move.budget)]
    return [warning for warning in found if warning]


@dataclass(frozen=True, kw_only=True)
class _Move:
    budget: str
    reserved: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    corrects: bool = False
    """True if the attempt was counted before, in the period that began at `since`."""
    since: date | None = None
    closed: str | None = None


def _moves(connection: Connection, charge: Charge) -> Iterator[_Move]:
    c, same = reservations.c, of_attempt(charge.run_id, charge.activity_id, charge.attempt)
    if charge.usd is None:  # the rows stay, for a late result
        assumed = update(reservations).where(*same, ~c.settled).values(settled=True)
        for row in connection.execute(assumed.returning(c.budget, c.usd, c.assumed)).all():
            yield _Move(budget=row.budget, reserved=-row.usd, spent=row.assumed)
        return
    known = delete(reservations).where(*same)
    for row in connection.execute(known.returning(c.budget, c.usd, c.assumed, c.settled, c.since, c.bounded)).all():
        reason = None
        if row.bounded and charge.usd > row.usd:
            reason = (
                f"{charge.activity_id} cost {dollars(charge.usd)}, and by its price and its limits at most "
                f"{dollars(row.usd)}. See the prices of its model, then raise or reset the budget"
            )
        if row.settled:
            spent = charge.usd - row.assumed
            yield _Move(budget=row.budget, spent=spent, corrects=True, since=row.since, closed=reason)
        else:
            yield _Move(budget=row.budget, reserved=-row.usd, spent=charge.usd, closed=reason)


def _apply(connection: Connection, move: _Move) -> BudgetWarning | None:
    c = budgets.c
    sums = {
        "reserved": c.reserved + literal(move.reserved, Dollars),
        "spent": c.spent + literal(move.spent, Dollars),
        **({"closed": func.coalesce(c.closed, move.closed)} if move.closed else {}),
    }
    same = [c.since.is_(None) if move.since is None else c.since == move.since] if move.corrects else []
    change = update(budgets).where(c.id == move.budget, *same).values(sums)
    row = connection.execute(change.returning(c.scope, c.name, c.period, c.usd, c.spent, c.warned)).one_or_none()
    if row is None:
        return None
    percent = max((share for share in _SHARES if row.spent * 100 >= row.usd * share), default=0)
    if percent <= row.warned:
        return None
    connection.execute(update(budgets).where(c.id == move.budget).values(warned=percent))
    return BudgetWarning(
        scope=row.scope, name=row.name, period=row.period, percent=percent, usd=row.usd, spent=row.spent
    )
