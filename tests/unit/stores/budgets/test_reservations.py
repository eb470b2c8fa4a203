"""Budgets, on both databases: reserved before a call, settled after it, and never over the limit."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from llmflow.errors import BudgetExceeded, BudgetReserved
from llmflow.stores.budgets.reservations import Budgets, Reservation
from llmflow.stores.budgets.settling import Charge, close_overdue, settle
from llmflow.stores.database import Database
from llmflow.stores.schema import budgets, reservations
from llmflow.types.budgets import Budget

BUDGET = Budget(usd=Decimal("0.20"), id="a-run")
HOUR = timedelta(hours=1)


@pytest.fixture
def kept(database: Database) -> Budgets:
    return Budgets(database)


def wanted(
    usd: str,
    *,
    activity: str = "complete#1",
    attempt: int = 1,
    budget: Budget = BUDGET,
    least: str = "0",
    unknown: str | None = None,
) -> Reservation:
    return Reservation(
        run="b1",
        run_id="r",
        activity_id=activity,
        attempt=attempt,
        model="v:m",
        budget=budget,
        usd=Decimal(usd),
        least=Decimal(least),
        unknown=unknown,
        lasts=timedelta(),
    )


async def take(kept: Budgets, wanted: Reservation) -> None:
    await kept.reserve(wanted, lost=f"{wanted.activity_id} was lost")


async def ended(database: Database, usd: str | None, *, activity: str = "complete#1", attempt: int = 1) -> None:
    cost = None if usd is None else Decimal(usd)
    charge = Charge(run_id="r", activity_id=activity, attempt=attempt, usd=cost)
    await database.write(lambda connection: settle(connection, [charge]))


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
    assert await close_overdue(database, now - HOUR, 10) == ([], [])
    assert await reserved(database) == Decimal("0.05"), "its attempt may still run"
    assert await close_overdue(database, now + HOUR, 10) == (["complete#1 was lost"], [])
    assert await close_overdue(database, now + HOUR, 10) == ([], [])
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
    lax = Budget(usd=Decimal("0.20"), id="a-run", unpriced="allow")
    await take(kept, wanted("0", budget=lax, unknown="v:m has no known price"))
    await ended(database, "0.15")  # the vendor reports it
    with pytest.raises(BudgetExceeded, match=r"\$0\.15 is spent"):
        await take(kept, wanted("0.06", activity="complete#2"))


async def test_a_call_without_an_upper_bound_is_refused(kept: Budgets, database: Database) -> None:
    with pytest.raises(BudgetExceeded, match=r"budget of \$0\.20 for run b1: v:m has no known price"):
        await take(kept, wanted("0", unknown="v:m has no known price"))
    assert await database.read(lambda connection: connection.scalar(select(func.count(reservations.c.attempt)))) == 0


@pytest.mark.parametrize("known", ["at once", "late"])
async def test_a_bill_beyond_its_reservation_counts_whole_and_closes_the_budget(
    kept: Budgets, database: Database, known: str
) -> None:
    await take(kept, wanted("0.10"))
    await take(kept, wanted("0.01", activity="complete#2"))
    if known == "late":
        await ended(database, None)
    await ended(database, "0.11")
    await ended(database, "0.01", activity="complete#2")
    assert (await kept.spent(BUDGET), await reserved(database)) == (Decimal("0.12"), 0)
    with pytest.raises(BudgetExceeded, match=r"is closed: complete#1 cost \$0\.11, and .* at most \$0\.10\."):
        await take(kept, wanted("0.01", activity="complete#3"))


@pytest.mark.parametrize("full", ["refuse", "cheaper"])
async def test_a_budget_without_room_says_if_a_cheaper_model_may_be_asked(kept: Budgets, full: str) -> None:
    own = Budget(usd=Decimal("0.20"), id="a-run", full="cheaper" if full == "cheaper" else "refuse")
    with pytest.raises(BudgetExceeded) as refused:
        await take(kept, wanted("0.30", budget=own))
    assert refused.value.detail.cheaper is (full == "cheaper")
    await take(kept, wanted("0.10", budget=own))  # that of the cheaper one


async def test_the_lowest_end_of_an_uncertain_cost_may_count(kept: Budgets, database: Database) -> None:
    brave = Budget(usd=Decimal("0.20"), id="a-run", uncertain="lowest")
    await take(kept, wanted("0.10", budget=brave, least="0.02"))
    await ended(database, None)
    assert (await kept.spent(BUDGET), await reserved(database)) == (Decimal("0.02"), 0)
    await ended(database, "0.08")
    assert await kept.spent(BUDGET) == Decimal("0.08")
    await take(kept, wanted("0.12", activity="complete#2"))


async def test_a_retry_storm_ends(kept: Budgets, database: Database) -> None:
    """Each attempt may have cost its reservation, and so the third is refused for good."""
    for attempt in (1, 2):
        await take(kept, wanted("0.08", attempt=attempt))
        await ended(database, None, attempt=attempt)
    with pytest.raises(BudgetExceeded) as refused:
        await take(kept, wanted("0.08", attempt=3))
    assert not refused.value.may_pass


async def test_overdue_reservations_are_closed_in_parts(kept: Budgets, database: Database) -> None:
    for number in range(5):
        await take(kept, wanted("0.01", activity=f"complete#{number}"))
    later = datetime.now(UTC) + HOUR
    assert [len((await close_overdue(database, later, 2))[0]) for _ in range(4)] == [2, 2, 1, 0]
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
