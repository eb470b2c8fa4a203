"""Budgets of tenants, tags, Apps and runs, on both databases: all that apply hold, and people change them."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import update

from llmflow.errors import BudgetExceeded, BudgetNotFound, BudgetReserved
from llmflow.stores.budgets.balances import all_budgets, find_budget, put_budget, raise_budget, reset_budget
from llmflow.stores.budgets.raises import raise_once
from llmflow.stores.budgets.reservations import Budgets, Reservation, first_day
from llmflow.stores.budgets.settling import Charge, settle
from llmflow.stores.database import Database
from llmflow.stores.schema import budgets
from llmflow.types.budgets import Budget, BudgetName, RaiseRequest, Scope
from tests.helpers.postgres import Postgres

ACME = BudgetName(scope="tenant", name="acme")
DAILY = BudgetName(scope="tenant", name="acme", period="day")
VIP = BudgetName(scope="tag", name="vip")
RUN = BudgetName(scope="run", name="b1")
OWN = Budget(usd="0.20", id="a-run")
ALL: tuple[tuple[Scope, str], ...] = (("tenant", "acme"), ("tag", "vip"), ("app", "hello"))


async def take(database: Database, usd: str, activity: str = "complete#1", budget: Budget | None = OWN) -> None:
    kept = Budgets(database)
    wanted = Reservation(
        run="b1",
        run_id="r",
        activity_id=activity,
        attempt=1,
        model="v:m",
        budget=budget,
        scopes=await kept.covering(ALL),
        usd=Decimal(usd),
        lasts=timedelta(minutes=1),
    )
    await kept.reserve(wanted, lost=f"{activity} was lost")


async def ended(database: Database, usd: str | None, activity: str = "complete#1") -> list[tuple[str, int]]:
    """Settle a call, and return the warnings."""
    charge = Charge(run_id="r", activity_id=activity, attempt=1, usd=None if usd is None else Decimal(usd))
    return [(str(one), one.percent) for one in await database.write(lambda connection: settle(connection, [charge]))]


async def sums(database: Database, of: BudgetName) -> tuple[str, str, str]:
    found = await find_budget(database, of)
    return f"{found.spent:f}", f"{found.reserved:f}", f"{found.left:f}"


async def test_all_budgets_of_a_call_hold_or_none_is_touched(database: Database) -> None:
    await put_budget(database, ACME, Budget(usd="1"))
    await put_budget(database, DAILY, Budget(usd="0.50"))
    await put_budget(database, VIP, Budget(usd="0.05"))
    with pytest.raises(BudgetExceeded, match=r"budget of \$0\.050 for tag vip: \$0 is spent, and the next"):
        await take(database, "0.10")
    assert [await sums(database, of) for of in (ACME, DAILY, VIP)] == [
        ("0", "0", "1"),
        ("0", "0", "0.5"),
        ("0", "0", "0.05"),
    ]
    with pytest.raises(BudgetNotFound, match="no budget for run b1: a run has one from its first call on"):
        await find_budget(database, RUN)  # not even the run's own row was kept

    await raise_budget(database, VIP, Decimal("0.10"))
    await take(database, "0.10")
    [held] = (await find_budget(database, RUN)).holds
    assert (held.run_id, held.activity_id, held.usd) == ("r", "complete#1", Decimal("0.10"))
    await ended(database, "0.04")
    assert [await sums(database, of) for of in (ACME, DAILY, VIP, RUN)] == [
        ("0.04", "0", "0.96"),
        ("0.04", "0", "0.46"),
        ("0.04", "0", "0.11"),
        ("0.04", "0", "0.16"),
    ]
    assert {str(one.scope) for one in await all_budgets(database)} == {"tenant", "tag"}
    [own] = await all_budgets(database, "run")
    assert own.name == "b1"


async def test_a_call_without_a_budget_of_its_run_is_held_to_those_of_its_tenant(database: Database) -> None:
    await take(database, "5", budget=None)  # nobody limits it
    await put_budget(database, ACME, Budget(usd="0.10"))
    await take(database, "0.06", "complete#2", budget=None)
    with pytest.raises(BudgetReserved, match=r"for tenant acme: \$0 is spent, \$0\.060 reserved"):
        await take(database, "0.06", "complete#3", budget=None)


async def test_a_budget_of_a_day_begins_anew(database: Database) -> None:
    today = datetime.now(UTC).date()
    await put_budget(database, DAILY, Budget(usd="0.10"))
    await take(database, "0.10", budget=None)
    await ended(database, None)
    with pytest.raises(BudgetExceeded, match=r"budget of \$0\.10 a day for tenant acme"):
        await take(database, "0.01", "complete#2", budget=None)

    yesterday = update(budgets).values(since=today - timedelta(days=1), closed="a bill beyond its reservation")
    await database.write(lambda connection: connection.execute(yesterday))
    assert await sums(database, DAILY) == ("0", "0", "0.1")
    await take(database, "0.10", "complete#2", budget=None)
    assert (await find_budget(database, DAILY)).since == today
    await ended(database, "0.02", "complete#2")
    assert await sums(database, DAILY) == ("0.02", "0", "0.08")


async def test_a_late_bill_corrects_only_the_day_that_it_was_counted_in(database: Database) -> None:
    await put_budget(database, DAILY, Budget(usd="0.10"))
    await take(database, "0.10", budget=None)
    await ended(database, None)
    tomorrow = update(budgets).values(since=datetime.now(UTC).date() + timedelta(days=1), spent=Decimal("0.05"))
    await database.write(lambda connection: connection.execute(tomorrow))
    await ended(database, "0.01")
    assert await sums(database, DAILY) == ("0.05", "0", "0.05")


async def test_people_raise_and_reset(database: Database) -> None:
    await put_budget(database, ACME, Budget(usd="0.10"))
    await take(database, "0.10", budget=None)
    await ended(database, "0.12")
    assert "complete#1 cost $0.12" in str((await find_budget(database, ACME)).closed)
    for change in (lambda: raise_budget(database, ACME, Decimal(1)), lambda: reset_budget(database, ACME)):
        changed = await change()
        assert (changed.closed, changed.usd) == (None, Decimal("1.1"))
    assert await sums(database, ACME) == ("0", "0", "1.1")
    await put_budget(database, ACME, Budget(usd="2", unpriced="allow"))
    found = await find_budget(database, ACME)
    assert (found.usd, found.unpriced) == (2, "allow")
    for change in (raise_budget(database, VIP, Decimal(1)), reset_budget(database, VIP), find_budget(database, VIP)):
        with pytest.raises(BudgetNotFound, match="there is no budget for tag vip"):
            await change


async def test_a_raise_counts_once_and_stands_in_the_log(database: Database) -> None:
    await put_budget(database, ACME, Budget(usd="0.10", full="ask"))
    with pytest.raises(BudgetExceeded) as full:
        await take(database, "0.15", budget=None)
    room = full.value.detail.no_room
    assert room and (room.budget, room.limit, room.call) == ("tenant acme", Decimal("0.1"), Decimal("0.15"))
    request = RaiseRequest(budget=room.id, usd=Decimal("0.2"), by="ana", why="go on")
    assert [await raise_once(database, "r/raise_budget#1", request) for _ in range(2)] == [Decimal("0.3")] * 2
    raised = await raise_budget(database, ACME, Decimal(1), "ben")
    assert [(one.usd, one.by, one.why) for one in raised.raises] == [(1, "ben", None), (Decimal("0.2"), "ana", "go on")]
    with pytest.raises(BudgetNotFound):
        await raise_once(database, "r/raise_budget#2", request.model_copy(update={"budget": "gone"}))


async def test_a_run_whose_first_call_has_no_room_can_be_raised(database: Database) -> None:
    own = Budget(usd="0.05", id="a-run", full="ask")
    with pytest.raises(BudgetExceeded):
        await take(database, "0.10", budget=own)
    await raise_once(database, "x", RaiseRequest(budget="a-run", usd=Decimal("0.05"), by="ana"))
    await take(database, "0.10", budget=own)
    assert await ended(database, "0.09") == [("run b1", 80)], "people are warned of runs, too"


@pytest.mark.parametrize(("period", "since"), [("day", date(2026, 12, 31)), ("month", date(2026, 12, 1)), (None, None)])
def test_periods_are_those_of_utc(period: str | None, since: date | None) -> None:
    assert first_day(period, datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == since  # pyright: ignore[reportArgumentType]  a text


async def test_workers_at_once_pass_no_budget_and_never_deadlock(postgres: Postgres, tmp_path: Path) -> None:
    url = await postgres.database()
    workers = [Database(url) for _ in range(3)]
    await workers[0].upgrade()
    for of in (ACME, DAILY, VIP):
        await put_budget(workers[0], of, Budget(usd="0.25"))

    async def call(number: int) -> int:
        database = workers[number % 3]
        own = Budget(usd="0.10", id=f"run-{number % 4}")
        for _ in range(100):
            try:
                await take(database, "0.03", f"c#{number}", own)
            except BudgetReserved:
                await asyncio.sleep(0.01)
            except BudgetExceeded:
                return 0
            else:
                await ended(database, "0.03", f"c#{number}")
                return 1
        raise AssertionError("it never got an answer")

    made = sum(await asyncio.gather(*(call(number) for number in range(24))))
    assert made == 8
    assert await sums(workers[0], VIP) == ("0.24", "0", "0.01")
    for database in workers:
        await database.close()
