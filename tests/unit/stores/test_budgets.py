"""Budgets, on both databases: reserved before a call, settled after it, and never over the limit."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from llmflow.errors import BudgetExceeded, LimitReached
from llmflow.stores.budgets import Budgets, Reservation, settle, sweep
from llmflow.stores.database import Database
from llmflow.stores.schema import budgets, reservations
from llmflow.types.budgets import Budget
from tests.helpers.calls import NOON

BUDGET = Budget(usd=Decimal("0.20"), id="a-run")


@pytest.fixture
def kept(database: Database) -> Budgets:
    return Budgets(database)


def wanted(usd: str, *, activity: str = "complete#1", attempt: int = 1) -> Reservation:
    return Reservation(run_id="r", activity_id=activity, attempt=attempt, budget=BUDGET, usd=Decimal(usd), until=NOON)


async def ended(database: Database, usd: str | None, *, activity: str = "complete#1", attempt: int = 1) -> None:
    cost = None if usd is None else Decimal(usd)
    await database.write(lambda connection: settle(connection, "r", activity, attempt, cost))


async def reserved(database: Database) -> Decimal:
    return await database.read(lambda connection: connection.scalar(select(func.sum(budgets.c.reserved)))) or Decimal(0)


async def test_what_a_call_did_not_cost_is_given_back(kept: Budgets, database: Database) -> None:
    await kept.reserve(wanted("0.10"))
    assert await reserved(database) == Decimal("0.10")
    await ended(database, "0.03")
    assert (await kept.spent(BUDGET), await reserved(database)) == (Decimal("0.03"), 0)
    await ended(database, "0.03")  # recorded twice, settled once
    assert await kept.spent(BUDGET) == Decimal("0.03")


async def test_no_room_is_said_before_the_call(kept: Budgets, database: Database) -> None:
    await kept.reserve(wanted("0.15"))
    await ended(database, "0.15")
    with pytest.raises(BudgetExceeded, match=r"budget of \$0\.20 for run a-run: \$0\.1500 are spent"):
        await kept.reserve(wanted("0.06", activity="complete#2"))
    assert await reserved(database) == 0
    await kept.reserve(wanted("0.05", activity="complete#3"))  # what fits, still goes


async def test_room_that_running_calls_hold_may_come_back(kept: Budgets, database: Database) -> None:
    await kept.reserve(wanted("0.15"))
    with pytest.raises(LimitReached, match=r"\$0\.1500 reserved by calls that run now") as refused:
        await kept.reserve(wanted("0.10", activity="complete#2"))
    assert refused.value.detail.retry_after
    await ended(database, "0.01")
    await kept.reserve(wanted("0.10", activity="complete#2", attempt=2))


async def test_a_reservation_is_made_once_per_attempt(kept: Budgets, database: Database) -> None:
    await kept.reserve(wanted("0.10"))
    await kept.reserve(wanted("0.10"))
    assert await reserved(database) == Decimal("0.10")


async def test_an_attempt_that_nobody_knows_the_end_of_is_spent(kept: Budgets, database: Database) -> None:
    await kept.reserve(wanted("0.10"))
    await ended(database, None)
    assert (await kept.spent(BUDGET), await reserved(database)) == (Decimal("0.10"), 0)

    await kept.reserve(wanted("0.05", attempt=2))
    await sweep(database, NOON)
    assert await reserved(database) == Decimal("0.05"), "its attempt may still run"
    await sweep(database, NOON + timedelta(seconds=1))
    assert (await kept.spent(BUDGET), await reserved(database)) == (Decimal("0.15"), 0)


async def test_branches_at_once_never_pass_the_limit(kept: Budgets, database: Database) -> None:
    async def branch(number: int) -> bool:
        try:
            await kept.reserve(wanted("0.03", activity=f"complete#{number}"))
        except LimitReached:
            return False
        return True

    taken = await asyncio.gather(*(branch(number) for number in range(20)))
    assert sum(taken) == 6  # 6 x 0.03 = 0.18
    assert await reserved(database) == Decimal("0.18")
    left = select(func.count()).select_from(reservations)
    assert await database.read(lambda connection: connection.scalar(left)) == 6
