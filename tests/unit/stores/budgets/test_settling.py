"""Ledger and budgets, on both databases: a billed call is spent, whichever record says so, and when."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg  # pyright: ignore[reportMissingTypeStubs]  it has none
import pytest
from sqlalchemy import func, select

from llmflow.stores.budgets.reservations import Budgets, Reservation
from llmflow.stores.database import Database
from llmflow.stores.ledger.calls import Calls
from llmflow.stores.ledger.outbox import Outbox
from llmflow.stores.ledger.rows import LOST, MAYBE_BILLED, Call
from llmflow.stores.schema import budgets, calls, reservations
from llmflow.types.budgets import Budget
from llmflow.types.origins import Origin
from tests.helpers.calls import NOON, a_call, an_answer
from tests.helpers.postgres import Postgres
from tests.helpers.waiting import until

BUDGET = Budget(usd=Decimal(1), id="a-run")
LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def ledger(database: Database, tmp_path: Path) -> Calls:
    return Calls(database, Outbox(tmp_path / "outbox"))


def planned(activity: str = "complete#1", budget: Budget = BUDGET) -> Call:
    return a_call(activity=activity, origin=Origin(budget=budget), result=None, outcome=LOST, reserved=True)


async def reserve(database: Database, call: Call, usd: str = "0.10", lost: str | None = None) -> None:
    budget = call.origin.budget
    assert budget
    wanted = Reservation(
        run=call.id.workflow_id,
        **call.id.model_dump(include={"run_id", "activity_id", "attempt"}),
        model=call.model_asked,
        budget=budget,
        usd=Decimal(usd),
        lasts=timedelta(),
    )
    await Budgets(database).reserve(wanted, lost=lost or call.model_dump_json())


async def ended(ledger: Calls, call: Call, outcome: str, usd: str = "0.03") -> None:
    result = an_answer(usd=usd) if outcome == "answered" else None
    await ledger.record(call.model_copy(update={"outcome": outcome, "result": result}))


async def sums(database: Database) -> tuple[Decimal, Decimal]:
    query = select(func.sum(budgets.c.spent).label("spent"), func.sum(budgets.c.reserved).label("reserved"))
    row = await database.read(lambda connection: connection.execute(query).one())
    return row.spent, row.reserved


async def outcomes(database: Database) -> list[str]:
    return [*await database.read(lambda connection: connection.scalars(select(calls.c.outcome)).all())]


@pytest.mark.parametrize(
    ("outcome", "spent"),
    [
        ("answered", "0.03"),
        *((outcome, "0.10") for outcome in MAYBE_BILLED),
        ("RateLimited", "0"),
        ("ProviderUnavailable", "0"),
        ("LimitReached", "0"),
    ],
)
async def test_what_may_be_billed_is_spent(ledger: Calls, database: Database, outcome: str, spent: str) -> None:
    await reserve(database, planned())
    await ended(ledger, planned(), outcome)
    assert await sums(database) == (Decimal(spent), 0)


@pytest.mark.parametrize(
    ("news", "spent"),
    [("answered", "0.50"), ("StoreUnavailable", "0"), ("cancelled", "0.10"), (LOST, "0.10")],
)
async def test_late_news_correct_the_budget(ledger: Calls, database: Database, news: str, spent: str) -> None:
    await reserve(database, planned())
    second = a_call(attempt=2, result=None, origin=Origin(budget=BUDGET))
    await ledger.record_lost(second)  # which it was not: it was slow
    await ended(ledger, planned(), news, usd="0.50")
    assert await sums(database) == (Decimal(spent), 0)
    assert await outcomes(database) == [news]


async def test_a_killed_last_attempt_has_a_row_and_is_spent(database: Database, tmp_path: Path) -> None:
    ledger = Calls(database, Outbox(tmp_path / "outbox"), group=2)
    for number in range(5):
        await reserve(database, planned(f"complete#{number}"))
    async with ledger.serving(timedelta(days=7)):

        async def swept() -> bool:
            return await outcomes(database) == [LOST] * 5

        await until(swept)
    assert await sums(database) == (Decimal("0.50"), 0)


async def test_what_cannot_be_read_any_more_is_spent_and_keeps_nothing_else_out(
    ledger: Calls, database: Database
) -> None:
    await reserve(database, planned("a"), lost="{}")
    await reserve(database, planned())
    await ledger.sweep(LATER)
    assert await sums(database) == (Decimal("0.20"), 0)
    assert await outcomes(database) == [LOST]


async def test_settled_reservations_go_after_their_time(ledger: Calls, database: Database) -> None:
    await reserve(database, planned())
    await reserve(database, planned("complete#2"))
    await ended(ledger, planned(), LOST)
    left = select(reservations.c.activity_id)
    for before, kept in ((NOON, ["complete#1", "complete#2"]), (LATER, ["complete#2"])):
        await ledger.purge(before)
        assert sorted(await database.read(lambda connection: connection.scalars(left).all())) == kept


async def test_two_workers_never_wait_for_each_other(postgres: Postgres, tmp_path: Path) -> None:
    url = await postgres.database()
    one, two, third = Database(url), Database(url), Database(url)
    await one.upgrade()
    names = ("run-a", "run-b")
    both = [[planned(f"{worker}#{name}", Budget(usd=Decimal(1), id=name)) for name in names] for worker in "xy"]
    for call in (*both[0], *both[1]):
        await reserve(one, call)
    workers = [Calls(one, Outbox(tmp_path / "one")), Calls(two, Outbox(tmp_path / "two"))]

    async def waiting() -> bool:
        [[number]] = await postgres.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return number == 2

    holder = await asyncpg.connect(url)
    async with holder.transaction():
        # Both workers reserve in opposite orders.
        await holder.execute("SELECT * FROM budgets FOR UPDATE")
        orders = zip(workers, (both[0], both[1][::-1]), strict=True)
        writing = [asyncio.create_task(ended(ledger, call, "answered")) for ledger, batch in orders for call in batch]
        await until(waiting, seconds=4)
    await asyncio.gather(*writing)
    await holder.close()
    assert await sums(third) == (Decimal("0.12"), 0)
    assert await outcomes(third) == ["answered"] * 4
    assert [*tmp_path.glob("*/*")] == []  # the loser of a deadlock would be put there
    for database in (one, two, third):
        await database.close()
