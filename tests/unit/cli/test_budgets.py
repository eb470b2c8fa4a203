"""`llmflow budgets`: on a store, without a server."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from llmflow.stores.budgets.reservations import Budgets, Reservation
from llmflow.stores.budgets.settling import Charge, settle
from llmflow.stores.database import Database
from llmflow.types.budgets import Budget
from tests.helpers.command_line import Done, call

Call = Callable[..., Done]


async def fill(path: str) -> None:
    """Make the budget of a run: one call has cost more than it could, and another one is in flight."""
    async with Database(path) as database:
        kept = Budgets(database)
        for number in (1, 2):
            wanted = Reservation(
                run="tea",
                run_id="r",
                activity_id=f"brew#{number}",
                attempt=1,
                model="v:m",
                budget=Budget(usd="0.50", id="first"),
                usd=Decimal("0.10"),
                lasts=timedelta(minutes=1),
            )
            await kept.reserve(wanted, lost="{}")
        bill = Charge(run_id="r", activity_id="brew#1", attempt=1, usd=Decimal("0.15"))
        await database.write(lambda connection: settle(connection, [bill]))


@pytest.fixture
def llmflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.setenv("LLMFLOW_STORE", str(tmp_path / "ledger.db"))
    monkeypatch.setenv("COLUMNS", "120")
    asyncio.run(fill(str(tmp_path / "ledger.db")))
    return lambda *arguments: call(capsys, "budgets", *arguments)


def test_a_budget_is_set_listed_raised_and_reset(llmflow: Call) -> None:
    assert llmflow("list").err.strip() == "no budgets"
    made = llmflow("set", "tenant:acme", "50", "--per", "day", "--cheaper", "--json").json()
    assert (made["full"], made["unpriced"]) == ("cheaper", "refuse")
    assert (made["scope"], made["name"], made["period"], made["usd"]) == ("tenant", "acme", "day", "50")
    assert llmflow("raise", "tenant:acme", "0.5", "--per", "day", "--json").json()["left"] == "50.5"
    heading, row = (line.split() for line in llmflow("list", "--scope", "tenant").out.splitlines())
    assert (heading, row) == (
        ["budget", "per", "state", "limit", "spent", "reserved", "left"],
        ["tenant:acme", "day", "-", "$50.50", "$0", "$0", "$50.50"],
    )
    assert [one["name"] for one in llmflow("list", "--json").json()] == ["acme"]
    assert llmflow("reset", "tenant:acme", "--per", "day").code == 0


def test_a_run_shows_what_holds_its_money_and_why_it_is_closed(llmflow: Call) -> None:
    done = llmflow("show", "run:tea")
    assert done.out.splitlines()[1].split() == ["run:tea", "-", "closed", "$0.50", "$0.15", "$0.10", "$0.25"]
    assert "closed: brew#1 cost $0.15, and by its price and its limits at most $0.10." in done.err
    assert "$0.10 held by brew#2 of run id r until " in done.err
    raised = llmflow("raise", "run:tea", "1", "--json").json()
    assert (raised["closed"], raised["left"], raised["holds"][0]["activity_id"]) == (None, "1.25", "brew#2")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("show tenant:acme", 4, "there is no budget for tenant acme"),
        ("show tenant:acme --per day", 4, "there is no budget for tenant acme per day"),
        ("show tenat:acme", 2, "'tenat:acme' is no budget (did you mean `tenant`?)"),
        ("show acme", 2, "'acme' is no budget: write one of run, tenant, user, tag, app, key"),
        ("set run:tea 5", 2, "the budget of run tea was given at its start: raise it instead"),
        ("set tenant:acme much", 2, "'much' is not an amount"),
        ("set tenant:acme 5 --per dya", 2, "'dya' is none (did you mean `day`?)"),
        ("list --scope tenants", 2, "'tenants' is none (did you mean `tenant`?)"),
    ],
)
def test_mistakes_are_named(llmflow: Call, arguments: str, code: int, said: str) -> None:
    done = llmflow(*arguments.split())
    assert done.code == code
    assert said in " ".join(done.err.split())


def test_a_budget_asks_a_person_or_a_cheaper_model(llmflow: Call) -> None:
    assert llmflow("set", "tag:vip", "5", "--ask", "--json").json()["full"] == "ask"
    assert llmflow("set", "tag:vip", "5", "--ask", "--cheaper").code == 2
    assert "$1.00 more by" in llmflow("raise", "tag:vip", "1").err
