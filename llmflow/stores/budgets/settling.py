"""Settlement of reservations when the call has ended: the money is spent, or given back."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, delete, literal, select, update

from llmflow.stores.budgets.reservations import of_attempt
from llmflow.stores.database import Database
from llmflow.stores.schema import Dollars, budgets, reservations


async def close_overdue(database: Database, now: datetime, most: int) -> Sequence[str]:
    """Count overdue reservations as spent.

    The worker of the attempt was killed or the run terminated, and the call may have been made.

    Returns:
        The record of each, as it was given to `Budgets.reserve`. If there are `most` records, more may be left.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    c = reservations.c
    key = (c.budget, c.run_id, c.activity_id, c.attempt)
    some = select(*key, c.lost).where(~c.settled, c.until < now).limit(most)

    def close(connection: Connection) -> Sequence[str]:
        found = connection.execute(some).all()
        rows = sorted(tuple(row) for row in found)  # the database sorts texts by its own rules
        for _, run_id, activity_id, attempt, _ in rows:
            settle(connection, run_id, activity_id, attempt, None)
        return [lost for *_, lost in rows]

    return await database.write(close)


def settle(connection: Connection, run_id: str, activity_id: str, attempt: int, usd: Decimal | None) -> None:
    """Give back the money that an attempt did not cost. `None` means an unknown cost: all of the reservation counts.

    Runs in the transaction that records the call, and there in the order of budgets, or two workers deadlock. An
    attempt without a reservation changes nothing, nor does a settled one, unless its cost became known only now.
    """
    c, same = reservations.c, of_attempt(run_id, activity_id, attempt)
    if usd is None:  # the row stays, for a late result
        taken = connection.execute(
            update(reservations).where(*same, ~c.settled).values(settled=True).returning(c.budget, c.usd)
        )
        for row in taken.all():
            _move(connection, row.budget, reserved=-row.usd, spent=row.usd)
        return
    taken = connection.execute(delete(reservations).where(*same).returning(c.budget, c.usd, c.settled))
    for row in taken.all():
        if row.settled:
            _move(connection, row.budget, reserved=Decimal(0), spent=usd - row.usd)
        else:
            _move(connection, row.budget, reserved=-row.usd, spent=usd)


def _move(connection: Connection, budget: str, *, reserved: Decimal, spent: Decimal) -> None:
    sums = {
        "reserved": budgets.c.reserved + literal(reserved, Dollars),
        "spent": budgets.c.spent + literal(spent, Dollars),
    }
    connection.execute(update(budgets).where(budgets.c.id == budget).values(sums))
