"""Current prices are written beside the frozen ones, never over them."""

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from llmflow.providers.pricing.price_list import load_price_list
from llmflow.providers.pricing.prices import Prices
from llmflow.stores.database import Database
from llmflow.stores.ledger.paid_calls import LedgerCall
from llmflow.stores.reports.costs import cost_report
from llmflow.stores.reports.repricing import reprice
from llmflow.stores.schema import calls
from llmflow.types.models import ModelResponse
from llmflow.types.reports import CallFilter, RepriceReport
from llmflow.types.usage import Cost, Usage
from llmflow.worker.apps import recorded_price
from tests.helpers.calls import NOON, an_answer
from tests.helpers.ledger import call_of, keep

KNOWN, UNKNOWN = "openai:gpt-5.4", "openai:new"
FROZEN = [call_of("a", usd="1"), call_of("b", usd=None), call_of("c", usd="5", answered=UNKNOWN)]
BY_VENDOR = call_of("v", usd="7", source="vendor")


def double(call: LedgerCall) -> Cost:
    if call.answered == "new":
        return Cost(source="no price: new is too new")
    return Cost(usd=Decimal("2"), source="list of today")


def say_nothing(done: int, total: int) -> None: ...


async def repriced(database: Database, *, write: bool, filter: CallFilter | None = None) -> RepriceReport:
    return await reprice(database, filter or CallFilter(), double, write=write, progress=say_nothing)


async def money(database: Database) -> dict[str, tuple[object, ...]]:
    c = calls.c
    query = select(c.workflow_id, c.usd, c.price_source, c.repriced_usd, c.repriced_source)
    rows = await database.read(lambda connection: connection.execute(query).all())
    return {row.workflow_id: tuple(row)[1:] for row in rows}


async def test_it_writes_beside_the_frozen_cost(database: Database) -> None:
    await keep(database, *FROZEN, BY_VENDOR, call_of("f", outcome="RateLimited"))
    report = await repriced(database, write=True)
    assert await money(database) == {
        "a": (1, "genai-prices 0.2", 2, "list of today"),
        "b": (None, "genai-prices 0.2", 2, "list of today"),
        "c": (5, "genai-prices 0.2", None, "no price: new is too new"),
        "v": (7, "vendor", None, None),
        "f": (None, None, None, None),
    }
    assert (report.vendor_calls, report.written) == (1, True)
    assert [row.model_dump(mode="json") for row in report.rows] == [
        {
            "model": UNKNOWN,
            "calls": 1,
            "usd": "5",
            "unpriced_calls": 0,
            "repriced_usd": "0",
            "repriced_unpriced_calls": 1,
            "difference_usd": None,
        },
        {
            "model": KNOWN,
            "calls": 2,
            "usd": "1",
            "unpriced_calls": 1,
            "repriced_usd": "4",
            "repriced_unpriced_calls": 0,
            "difference_usd": "1",
        },
    ]


async def test_what_a_better_list_knew_stays(database: Database) -> None:
    await keep(database, *FROZEN)
    await repriced(database, write=True)
    before = await money(database)

    def know_nothing(call: LedgerCall) -> Cost:
        return Cost(source="no price")

    report = await reprice(database, CallFilter(), know_nothing, write=True, progress=say_nothing)
    assert [(row.difference_usd, row.repriced_unpriced_calls) for row in report.rows] == [(None, 1), (None, 2)]
    assert await money(database) == {**before, "c": (5, "genai-prices 0.2", None, "no price")}


async def test_a_report_has_both_sums(database: Database) -> None:
    await keep(database, *FROZEN, BY_VENDOR)
    await repriced(database, write=True)
    report = await cost_report(database, CallFilter(), ["model"])
    assert (report.total.usd, report.total.repriced_usd) == (13, 2 + 2 + 5 + 7)
    assert (await cost_report(database, CallFilter(run="v"), ["model"])).total.repriced_usd is None


async def test_a_dry_run_writes_nothing(database: Database) -> None:
    await keep(database, *FROZEN)
    before = await money(database)
    dry = await repriced(database, write=False)
    assert await money(database) == before
    assert dry.rows == (await repriced(database, write=True)).rows


async def test_a_filter_leaves_the_others_alone(database: Database) -> None:
    await keep(database, *FROZEN, BY_VENDOR)
    report = await repriced(database, write=True, filter=CallFilter(run="a"))
    assert [row.calls for row in report.rows] == [1]
    assert report.vendor_calls == 0
    assert {run for run, row in (await money(database)).items() if row[3] is not None} == {"a"}


async def test_batches_meet_every_call_once(database: Database) -> None:
    several = [call_of(f"run-{run}", f"complete#{n}", attempt=n) for run in range(4) for n in (1, 2)]
    await keep(database, *several)
    seen: list[tuple[int, int]] = []
    report = await reprice(
        database, CallFilter(), double, write=True, progress=lambda done, total: seen.append((done, total)), at_once=3
    )
    assert report.rows[0].calls == 8
    assert seen == [(3, 8), (6, 8), (8, 8)]


async def test_pricing_again_writes_the_same(database: Database) -> None:
    await keep(database, *FROZEN)
    first, once = await repriced(database, write=True), await money(database)
    assert (await repriced(database, write=True), await money(database)) == (first, once)


@pytest.mark.parametrize("tier", [None, "flex"])
async def test_the_lists_of_today_say_what_they_said_when_the_call_was_made(
    database: Database, tmp_path: Path, tier: str | None
) -> None:
    """The ledger keeps all that a price depends on."""
    prices = tmp_path / "prices.yaml"
    prices.write_text("openai:gpt-5.4*: {input: 1, output: 2, tiers: {flex: {input: 3, cached: 1, output: 4}}}\n")
    usage = Usage(input_tokens=300_000, output_tokens=2000, cache_read_tokens=100_000, reasoning_tokens=50)
    response = ModelResponse(text="", model="gpt-5.4-2026-03-05", usage=usage, service_tier=tier)
    for path in (None, prices) if tier is None else (prices,):
        frozen = Prices(load_price_list(path) if path else None).price(KNOWN, response, NOON)
        assert frozen.usd
        result = an_answer().model_copy(update={"model": f"openai:{response.model}", "usage": usage, "cost": frozen})
        await keep(database, call_of(f"by {path}", result=result, base_url="https://api.openai.com/v1"))
        await reprice(database, CallFilter(), recorded_price(path), write=True, progress=say_nothing)
        usd, source, again, source_again = (await money(database))[f"by {path}"]
        assert (again, source_again) == (usd, source) == (frozen.usd, frozen.source)


HOUR = Usage(input_tokens=5000, output_tokens=9, cache_write_tokens=4000, cache_write_1h_tokens=3000, web_searches=2)
UNREAD = Usage(input_tokens=10, output_tokens=9, unread={"usage.server_tool_use.code_execution_requests": 2})


@pytest.mark.parametrize(
    ("asked", "response"),
    [
        ("anthropic:claude-sonnet-4-5", ModelResponse(text="", model="claude-sonnet-4-5", usage=HOUR)),
        ("anthropic:claude-opus-5", ModelResponse(text="", model="claude-opus-5", usage=HOUR, region="us")),
        ("anthropic:claude-opus-5", ModelResponse(text="", model="claude-opus-5", usage=HOUR, service_tier="fast")),
        ("openai:gpt-5.4", ModelResponse(text="", model="gpt-5.4", usage=UNREAD)),
        (
            "openai:gpt-6-luna",
            ModelResponse(
                text="",
                model="gpt-6-luna",
                usage=Usage(input_tokens=9, output_tokens=9),
                base_url="https://eu.api.openai.com/v1",
            ),
        ),
    ],
)
async def test_all_that_was_priced_is_priced_again(database: Database, asked: str, response: ModelResponse) -> None:
    frozen = Prices().price(asked, response, NOON)
    answer = {"model": f"{asked.partition(':')[0]}:{response.model}", "usage": response.usage, "cost": frozen}
    call = call_of("a", result=an_answer().model_copy(update=answer), base_url=response.base_url, model_asked=asked)
    await keep(database, call)
    await reprice(database, CallFilter(), recorded_price(None), write=True, progress=say_nothing)
    usd, source, again, source_again = (await money(database))["a"]
    assert (again, source_again) == (usd, source) == (frozen.usd, frozen.source)
    assert (frozen.usd is None) == bool(response.usage.unread)


async def test_a_prices_yaml_wins(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("openai:gpt-5.4: {input: 10000, output: 0}\n")
    await keep(database, call_of("a"))
    report = await reprice(database, CallFilter(), recorded_price(path), write=False, progress=say_nothing)
    assert report.rows[0].repriced_usd == 1
