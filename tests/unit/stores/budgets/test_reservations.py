"""Budgets, on both databases: reserved before a call, settled after it, and never over the limit."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from llmflow.errors import BudgetExceeded, BudgetReserved
from llmflow.stores.budgets.reservations import Budgets, Reservation
from llmflow.stores.budgets.settling import close_overdue, settle
from llmflow.stores.database import Database
from llmflow.stores.schema import budgets, reservations
from llmflow.types.budgets import Budget

BUDGET = Budget(usd=Decimal("0.20"), id="a-run")
HOUR = timedelta(hours=1)


@pytest.fixture
def kept(database: Database) -> Budgets:
    return Budgets(database)


def wanted(usd: str, *, activity: str = "complete#1", attempt: int = 1) -> Reservation:
    return Reservation(
        run="b1", run_id="r", activity_id=activity, attempt=attempt, budget=BUDGET, usd=Decimal(usd), lasts=timedelta()
    )


async def take(kept: Budgets, wanted: Reservation) -> None:
    await kept.reserve(wanted, lost=f"{wanted.activity_id} was lost")


async def ended(database: Database, usd: str | None, *, activity: str = "complete#1", attempt: int = 1) -> None:
    cost = None if usd is None else Decimal(usd)
    await database.write(lambda connection: settle(connection, "r", activity, attempt, cost))


async def reserved(database: Database) -> Decimal:
    return await database.read(lambda connection: connection.scalar(select(func.sum(budgets.c.reserved)))) or Decimal(0)


async def test_what_a_call_did_not_cost_is_given_back(kept: Budgets, database: Database) -> None:
    await take(kept, wanted("0.10"))
    assert await reserved(database) == Decimal("0.10")
    await ended(database, "0.03")
    assert (await kept.spent(BUDGET), await reserved(database)) == (Decimal("0.03"), 0)
    await ended(database, "0.03")  # recorded twice, settled once
    assert await kept.spent(BUDGET) == Decimal("0.03")


async def test_no_room_is_said_before_the_call(kept: Budgets, database: Database) -> None:
    await take(kept, wanted("0.15"))
    await ended(database, "0.15")
    with pytest.raises(
        BudgetExceeded, match=r"budget of \$0\.20 for run b1: \$0\.15 is spent, and the next call may cost \$0\.060\."
    ):
        await take(kept, wanted("0.06", activity="complete#2"))
    assert await reserved(database) == 0
    await take(kept, wanted("0.05", activity="complete#3"))  # what fits, still goes


async def test_room_that_running_calls_hold_may_come_back(kept: Budgets, database: Database) -> None:
    await take(kept, wanted("0.15"))
    with pytest.raises(BudgetReserved, match=r"\$0 is spent, \$0\.15 reserved by in-flight calls") as refused:
        await take(kept, wanted("0.10", activity="complete#2"))
    assert refused.value.detail.retry_after
    await ended(database, "0.01")
    await take(kept, wanted("0.10", activity="complete#2", attempt=2))


async def test_a_reservation_is_made_once_per_attempt(kept: Budgets, database: Database) -> None:
    await take(kept, wanted("0.10"))
    await take(kept, wanted("0.10"))
    assert await reserved(database) == Decimal("0.10")


async def test_an_attempt_that_nobody_knows_the_end_of_is_spent(kept: Budgets, database: Database) -> None:
    await take(kept, wanted("0.10"))
    await ended(database, None)
    assert (await kept.spent(BUDGET), await reserved(database)) == (Decimal("0.10"), 0)

    await take(kept, wanted("0.05", attempt=2))
    now = datetime.now(UTC)
    assert not await close_overdue(database, now - HOUR, 10)
    assert await reserved(database) == Decimal("0.05"), "its attempt may still run"
    assert await close_overdue(database, now + HOUR, 10) == ["complete#1 was lost"]
    assert not await close_overdue(database, now + HOUR, 10)
    assert (await kept.spent(BUDGET), await reserved(database)) == (Decimal("0.15"), 0)


@pytest.mark.parametrize(("late", "spent"), [("0.50", "0.50"), ("0.03", "0.03"), ("0", "0"), (None, "0.10")], ids=str)
async def test_late_news_of_what_it_cost_is_right(
    kept: Budgets, database: Database, late: str | None, spent: str
) -> None:
    await take(kept, wanted("0.10"))
    await ended(database, None)
    for _ in range(2):  # told twice, counted once
        await ended(database, late)
    assert (await kept.spent(BUDGET), await reserved(database)) == (Decimal(spent), 0)


async def test_what_reserved_nothing_still_pays(kept: Budgets, database: Database) -> None:
    await take(kept, wanted("0"))  # its price is unknown, and the budget allows that
    await ended(database, "0.15")  # the vendor reports it
    with pytest.raises(BudgetExceeded):
        await take(kept, wanted("0.06", activity="complete#2"))


async def test_overdue_reservations_are_closed_in_parts(kept: Budgets, database: Database) -> None:
    for number in range(5):
        await take(kept, wanted("0.01", activity=f"complete#{number}"))
    later = datetime.now(UTC) + HOUR
    assert [len(await close_overdue(database, later, 2)) for _ in range(4)] == [2, 2, 1, 0]
    assert (await kept.spent(BUDGET), await reserved(database)) == (Decimal("0.05"), 0)


def test_a_budget_fits_the_store() -> None:
    assert Budget(usd=Decimal(9_000_000)).usd == 9_000_000
    with pytest.raises(ValidationError, match="less than or equal to 9000000"):
        Budget(usd=Decimal("9000000.01"))


async def test_branches_at_once_never_pass_the_limit(kept: Budgets, database: Database) -> None:
    async def branch(number: int) -> bool:
        try:
            await take(kept, wanted("0.03", activity=f"complete#{number}"))
        except BudgetReserved:
            return False
        return True

    taken = await asyncio.gather(*(branch(number) for number in range(20)))
    assert sum(taken) == 6  # 6 x 0.03 = 0.18
    assert await reserved(database) == Decimal("0.18")
    left = select(func.count()).select_from(reservations)
    assert await database.read(lambda connection: connection.scalar(left)) == 6
