"""Daily costs of the ledger, on both databases."""

from datetime import timedelta
from decimal import Decimal

from llmflow.stores.database import Database
from llmflow.stores.reports.daily_costs import daily_costs
from llmflow.types.reports import CallFilter, DailyCost
from tests.helpers.calls import NOON
from tests.helpers.ledger import call_of, keep


async def test_calls_that_the_same_people_pay_are_one_row(database: Database) -> None:
    await keep(
        database,
        call_of("a", usd="0.1", tenant="acme", tags=("blue", "grün")),
        call_of("b", usd="0.000000000001", tenant="acme", tags=("blue", "grün")),
        call_of("c", usd="2", tenant="acme", tags=("blue",)),
        call_of("d", usd="3", at=NOON + timedelta(days=1)),
        call_of("e", usd=None),
        call_of("f", outcome="RateLimited"),
    )
    found = await daily_costs(database, CallFilter())
    assert [(one.tags, one.calls, one.usd) for one in found] == [
        (("blue",), 1, 2),
        (("blue", "grün"), 2, Decimal("0.100000000001")),
        ((), 1, 3),
    ]
    assert found[1] == DailyCost(
        day=NOON.date(),
        model="openai:gpt-5.4",
        tenant="acme",
        workflow="Greeter",
        prompt="hello/greet",
        tags=("blue", "grün"),
        calls=2,
        input_tokens=200,
        output_tokens=40,
        usd=Decimal("0.100000000001"),
    )
    assert len(await daily_costs(database, CallFilter(tenant="acme", tag="grün"))) == 1
