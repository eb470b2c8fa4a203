"""Costs of tools: the ledger, budgets, reports and the totals of runs agree, over retries, failures and forks."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from llmflow.errors import ConfigInvalid, InputInvalid
from llmflow.stores.budgets.balances import find_budget, put_budget
from llmflow.stores.database import Database
from llmflow.stores.reports.costs import cost_report
from llmflow.testing import Environment, ScriptedProvider, assert_replays, environment
from llmflow.tools import charge
from llmflow.tools.charges import charges
from llmflow.types.budgets import Budget, BudgetName
from llmflow.types.reports import CallFilter
from tests.integration.charging import Spender, app

SEARCH = Decimal("0.0030000001")
ACME = BudgetName(scope="tenant", name="acme")


@pytest.fixture
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        yield env


async def test_all_books_agree(env: Environment) -> None:
    assert env.client.store
    async with Database(env.client.store) as database:
        await put_budget(database, ACME, Budget(usd="0.02"))  # costs that are spent already count, room or not
        run = await env.client.start(Spender.run, id=env.id(), tenant="acme", tags=["x"], budget=Budget(usd=1))
        assert await run.result() == ["SAGA", "found, and not", "PLAIN", "CHILD", "LAST"]
        all_of_it = 4 * SEARCH + Decimal("0.13")

        usage = await run.tree_usage()
        assert (usage.total.usd, usage.total.calls) == (all_of_it, 0)
        assert (await run.usage()).by_model["tool:stumble/lookup"].usd == Decimal("0.03")
        report = await cost_report(database, CallFilter(run=run.id), ["model"])
        assert {row.key["model"]: (row.charges, row.usd) for row in report.rows} == {
            "tool:fail/lookup": (1, Decimal("0.1")),
            "tool:stumble/lookup": (3, Decimal("0.03")),
            "tool:search/serp": (4, Decimal("0.012")),
            "tool:search/proxy": (4, Decimal("0.0000000004")),
        }
        total = report.total
        assert (total.usd, total.charged_usd, total.undivided_usd) == (all_of_it, all_of_it, 0)
        assert (total.calls, total.failed_calls, total.unpriced_calls) == (0, 0, 0)
        for by in ("tenant", "tag", "run"):
            [row] = (await cost_report(database, CallFilter(run=run.id), [by])).rows
            assert [*row.key.values()] == [{"tenant": "acme", "tag": "x", "run": run.id}[by]]
        own, acme = await run.budget(), await find_budget(database, ACME)
        assert own
        assert [(one.spent, one.reserved) for one in (own, acme)] == [(all_of_it, 0)] * 2
        await assert_replays(run, app)

        fork = await run.fork("last")
        await fork.result()
        # The call that failed has no result to reuse, and is made again.
        assert (await fork.tree_usage()).total.usd == SEARCH + Decimal("0.1")
        assert (await cost_report(database, CallFilter(run=fork.id), ())).total.usd == SEARCH + Decimal("0.1")
        await assert_replays(fork, app)


@pytest.mark.parametrize(("usd", "what"), [("-1", "x"), ("nan", "x"), ("much", "x"), (1e9, "x"), (1, ""), (1, "a/b")])
def test_a_charge_is_an_amount_with_a_name(usd: str | float, what: str) -> None:
    token = charges.set([])
    with pytest.raises(InputInvalid):
        charge(usd, what)
    assert charges.get() == []
    charges.reset(token)


def test_a_charge_needs_a_worker() -> None:
    with pytest.raises(ConfigInvalid, match="works only in tools"):
        charge(1, "x")
