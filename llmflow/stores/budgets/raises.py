"""Raises of budgets, each with a row in a log."""

from decimal import Decimal

from sqlalchemy import Connection, literal, select, update

from llmflow.errors import BudgetNotFound
from llmflow.stores.database import Database, clock
from llmflow.stores.schema import Dollars, budget_raises, budgets
from llmflow.stores.upsert import insert_into
from llmflow.types.budgets import RaiseRequest


async def raise_once(database: Database, id: str, request: RaiseRequest) -> Decimal:
    """Add US dollars to the limit of a budget, open it if it is closed, and return its limit.

    Args:
        database: The store.
        id: Key of the raise. A second one with the same key changes nothing.
        request: Budget, amount and person.

    Raises:
        BudgetNotFound: there is no such budget.
        StoreUnavailable: the database does not answer.
    """

    def change(connection: Connection) -> Decimal:
        row = {**request.__dict__, "id": id, "at": clock(connection)}
        new = insert_into(database, budget_raises).values(row).on_conflict_do_nothing()
        if connection.execute(new).rowcount:
            more = {"usd": budgets.c.usd + literal(request.usd, Dollars), "closed": None, "warned": 0}
            connection.execute(update(budgets).where(budgets.c.id == request.budget).values(more))
        limit = connection.scalar(select(budgets.c.usd).where(budgets.c.id == request.budget))
        if limit is None:
            raise BudgetNotFound(f"there is no budget {request.budget!r}")
        return limit

    return await database.write(change)
