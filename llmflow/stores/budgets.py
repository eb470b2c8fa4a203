"""Budgets in the store: money is reserved before a call, and settled when it has ended.

A sum in workflow code could not do it: it misses parallel branches, children, and attempts that died after they paid.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, delete, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from llmflow.errors import BudgetExceeded, ErrorDetail, LimitReached
from llmflow.stores.database import Database
from llmflow.stores.schema import Dollars, budgets, reservations
from llmflow.stores.upsert import insert_into
from llmflow.types.budgets import Budget

_SOON = 2.0
"""Seconds after which a call that other calls' reservations keep out is tried again."""


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """Money that one attempt of one call may cost at most."""

    run_id: str
    activity_id: str
    attempt: int
    budget: Budget
    usd: Decimal
    until: datetime
    """When its attempt has ended in any case."""


class Budgets:
    """What was spent and what is reserved of each budget."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, wanted: Reservation) -> None:
        """Take the money of a call out of its budget, or say no before anything is asked.

        Raises:
            BudgetExceeded: there is no room, and waiting does not help.
            LimitReached: there is room when the calls that run now cost less than was reserved for them.
            StoreUnavailable: the database does not answer.
        """
        spent, reserved = await self._database.write(lambda connection: self._take(connection, wanted))
        if reserved is None:
            return
        cap, call = wanted.budget.usd, f"the next call may cost ${wanted.usd:.4f}"
        if spent + wanted.usd > cap:
            raise BudgetExceeded(
                f"budget of ${cap:f} for run {wanted.budget.id}: ${spent:.4f} are spent, and {call}. Give the run a "
                "larger budget, a cheaper model, or a smaller `max_output_tokens`",
                ErrorDetail(field="budget"),
            )
        raise LimitReached(
            f"budget of ${cap:f} for run {wanted.budget.id}: ${spent:.4f} are spent, ${reserved:.4f} reserved by calls "
            f"that run now, and {call}",
            ErrorDetail(retry_after=_SOON),
        )

    async def _take(self, connection: AsyncConnection, wanted: Reservation) -> tuple[Decimal, Decimal | None]:
        """Nothing and `None` if it was taken, else what is spent and reserved."""
        new = insert_into(self._database, budgets).values(id=wanted.budget.id, spent=Decimal(0), reserved=Decimal(0))
        await connection.execute(new.on_conflict_do_nothing())
        usd = literal(wanted.usd, Dollars)  # a sum of columns has forgotten that it is money
        take = (
            update(budgets)
            .values(reserved=budgets.c.reserved + usd)
            .where(
                budgets.c.id == wanted.budget.id,
                budgets.c.spent + budgets.c.reserved + usd <= literal(wanted.budget.usd, Dollars),
            )
        )
        # Once per attempt: written twice, the second time finds the first, and takes nothing.
        row = insert_into(self._database, reservations).values(
            run_id=wanted.run_id,
            activity_id=wanted.activity_id,
            attempt=wanted.attempt,
            budget=wanted.budget.id,
            usd=wanted.usd,
            until=wanted.until,
        )
        known = await connection.execute(row.on_conflict_do_nothing())
        if not known.rowcount or (await connection.execute(take)).rowcount:
            return Decimal(0), None
        await connection.execute(delete(reservations).where(*_same(wanted.run_id, wanted.activity_id, wanted.attempt)))
        found = await connection.execute(
            select(budgets.c.spent, budgets.c.reserved).where(budgets.c.id == wanted.budget.id)
        )
        spent, reserved = found.one()
        return spent, reserved

    async def spent(self, budget: Budget) -> Decimal:
        """US dollars that are spent of a budget, or assumed to be.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        query = select(budgets.c.spent).where(budgets.c.id == budget.id)
        return await self._database.read(lambda connection: connection.scalar(query)) or Decimal(0)


async def sweep(database: Database, now: datetime) -> None:
    """Count reservations whose attempt nobody ended as spent: a run was terminated, and its call was made or not.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    left = select(reservations).where(reservations.c.until < now)

    async def settle_all(connection: AsyncConnection) -> None:
        for row in (await connection.execute(left)).all():
            await settle(connection, row.run_id, row.activity_id, row.attempt, None)

    await database.write(settle_all)


async def settle(connection: AsyncConnection, run_id: str, activity_id: str, attempt: int, usd: Decimal | None) -> None:
    """Give back what an attempt did not cost; `None` if nobody knows what it cost: then it was all of it.

    In the transaction that records the call. An attempt that reserved nothing, or is settled, changes nothing.
    """
    taken = await connection.execute(
        delete(reservations)
        .where(*_same(run_id, activity_id, attempt))
        .returning(reservations.c.budget, reservations.c.usd)
    )
    for budget, reserved in taken.all():
        spent = reserved if usd is None else usd
        await connection.execute(
            update(budgets)
            .values(
                reserved=budgets.c.reserved - literal(reserved, Dollars),
                spent=budgets.c.spent + literal(spent, Dollars),
            )
            .where(budgets.c.id == budget)
        )


def _same(run_id: str, activity_id: str, attempt: int) -> tuple[ColumnElement[bool], ...]:
    return (
        reservations.c.run_id == run_id,
        reservations.c.activity_id == activity_id,
        reservations.c.attempt == attempt,
    )
