"""Reservations: money taken from a budget before a call.

A sum in workflow code is not enough: it misses parallel branches, children, and attempts that died after they paid.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, delete, literal, select, update

from llmflow.errors import BudgetExceeded, BudgetReserved, ErrorDetail
from llmflow.stores.database import Database, clock
from llmflow.stores.schema import Dollars, budgets, reservations
from llmflow.stores.upsert import insert_into
from llmflow.types.budgets import Budget
from llmflow.types.usage import dollars

_SOON = 2.0
"""Seconds until the next attempt of a call that other calls' reservations keep out."""


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """Upper bound of the money that one attempt of one call may cost."""

    run: str
    """Workflow id of the run that was given the budget, for people."""
    run_id: str
    activity_id: str
    attempt: int
    budget: Budget
    usd: Decimal
    lasts: timedelta
    """Time from now by which its attempt has ended in any case."""


class Budgets:
    """Spent and reserved money of each budget."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, wanted: Reservation, *, lost: str) -> None:
        """Reserve the money of a call in its budget, or refuse the call before the model is asked.

        Args:
            wanted: Amount of money, and its deadline.
            lost: Record to write if nothing ends the attempt, see `settling.close_overdue`.

        Raises:
            BudgetExceeded: the budget has no room, and waiting does not help.
            BudgetReserved: there will be room if in-flight calls cost less than their reservations.
            StoreUnavailable: the database does not answer.
        """
        spent, reserved = await self._database.write(lambda connection: self._take(connection, wanted, lost))
        if reserved is None:
            return
        known = f"budget of ${wanted.budget.usd:f} for run {wanted.run}: {dollars(spent)} is spent"
        call = f"the next call may cost {dollars(wanted.usd)}"
        if spent + wanted.usd > wanted.budget.usd:
            raise BudgetExceeded(
                f"{known}, and {call}. Give the run a larger budget, a cheaper model, or a smaller `max_output_tokens`",
                ErrorDetail(field="budget"),
            )
        raise BudgetReserved(
            f"{known}, {dollars(reserved)} reserved by in-flight calls, and {call}", ErrorDetail(retry_after=_SOON)
        )

    def _take(self, connection: Connection, wanted: Reservation, lost: str) -> tuple[Decimal, Decimal | None]:
        """Return nothing and `None` if the money was taken, else the spent and the reserved money."""
        new = insert_into(self._database, budgets).values(id=wanted.budget.id, spent=Decimal(0), reserved=Decimal(0))
        connection.execute(new.on_conflict_do_nothing())
        usd = literal(wanted.usd, Dollars)  # a sum of columns loses the money type
        take = (
            update(budgets)
            .values(reserved=budgets.c.reserved + usd)
            .where(
                budgets.c.id == wanted.budget.id,
                budgets.c.spent + budgets.c.reserved + usd <= literal(wanted.budget.usd, Dollars),
            )
        )
        # One row per attempt: a second write of the same attempt finds the first, and takes nothing.
        row = insert_into(self._database, reservations).values(
            run_id=wanted.run_id,
            activity_id=wanted.activity_id,
            attempt=wanted.attempt,
            budget=wanted.budget.id,
            usd=wanted.usd,
            until=clock(connection) + wanted.lasts,
            settled=False,
            lost=lost,
        )
        known = connection.execute(row.on_conflict_do_nothing())
        if not known.rowcount or connection.execute(take).rowcount:
            return Decimal(0), None
        connection.execute(delete(reservations).where(*of_attempt(wanted.run_id, wanted.activity_id, wanted.attempt)))
        found = connection.execute(select(budgets.c.spent, budgets.c.reserved).where(budgets.c.id == wanted.budget.id))
        spent, reserved = found.one()
        return spent, reserved

    async def spent(self, budget: Budget) -> Decimal:
        """Return the US dollars that are spent of a budget, or assumed to be.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        query = select(budgets.c.spent).where(budgets.c.id == budget.id)
        return await self._database.read(lambda connection: connection.scalar(query)) or Decimal(0)


def of_attempt(run_id: str, activity_id: str, attempt: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the reservation of one attempt."""
    return (
        reservations.c.run_id == run_id,
        reservations.c.activity_id == activity_id,
        reservations.c.attempt == attempt,
    )
