"""Reports of vendors, each in its own shape, against the ledger. Their sources stand in `vendor_reports`."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from llmflow.errors import InputInvalid
from llmflow.service.reconciliation import Reconciliation, reconcile
from llmflow.service.vendor_reports import read_report
from llmflow.stores.database import Database
from llmflow.stores.ledger.rows import LOST, Call
from tests.helpers.ledger import call_of, keep

DAY = date(2026, 7, 1)  # of the calls of `call_of`, which have 100 tokens in, 40 of them cached, and 20 out
START = 1782864000  # its first second
GPT, CLAUDE = "gpt-5.4-2026-03-05", "claude-haiku-4-5-20251001"


def openai_usage(**changes: object) -> str:
    result = {
        "object": "organization.usage.completions.result",
        "input_tokens": 200,
        "output_tokens": 40,
        "input_cached_tokens": 80,
        "num_model_requests": 2,
        "project_id": None,
        "user_id": None,
        "api_key_id": None,
        "model": GPT,
        "batch": None,
        "service_tier": None,
        **changes,
    }
    empty = {"object": "bucket", "start_time": START + 86400, "end_time": START + 172800, "results": []}
    bucket = {"object": "bucket", "start_time": START, "end_time": START + 86400, "results": [result]}
    return json.dumps({"object": "page", "data": [bucket, empty], "has_more": False, "next_page": None})


def openai_costs(*items: tuple[float, str | None]) -> str:
    results = [
        {"object": "organization.costs.result", "amount": {"value": usd, "currency": "usd"}, "line_item": item}
        for usd, item in items
    ]
    return json.dumps({"data": [{"object": "bucket", "start_time": START, "results": results}], "has_more": False})


OPENAI_USAGE_CSV = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,"
    "service_tier,input_tokens,output_tokens,input_cached_tokens,input_uncached_tokens\n"
    f"{START},{START + 86400},2026-07-01T00:00:00+00:00,2026-07-02T00:00:00+00:00,proj_a,2.0,user-a,key_a,{GPT},FALSE,"
    "default,200.0,40.0,80.0,120.0\n"
    f"{START + 86400},{START + 172800},2026-07-02T00:00:00+00:00,2026-07-03T00:00:00+00:00,,,,,,,,,,,\n"
)
OPENAI_COSTS_CSV = (
    "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id\n"
    f'{START},{START + 86400},2026-07-01T00:00:00+00:00,,0.0125000000000000,usd,"{GPT}, input",\n'
    f'{START},{START + 86400},2026-07-01T00:00:00+00:00,,0.0075000000000000,usd,"priority | {GPT}, output, long",\n'
    f"{START + 86400},{START + 172800},2026-07-02T00:00:00+00:00,,,,,\n"
)
ANTHROPIC_USAGE_CSV = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
    "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
    "usage_output_tokens,web_search_count,inference_geo,speed\n"
    f"2026-07-01,{CLAUDE},a key,Default,standard,≤ 200k,100,15,5,80,40,0,global,\n"
)
ANTHROPIC_COSTS_CSV = (
    "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type\n"
    "2026-07-01,Claude Haiku 4.5,Default,a key,message,≤ 200k,input_no_cache,0.02,0.02,token\n"
    "2026-07-01,Claude Haiku 4.5,Default,a key,message,≤ 200k,output,0.00,0.00,token\n"
)


def anthropic(**result: object) -> str:
    bucket = {"starting_at": "2026-07-01T00:00:00Z", "ending_at": "2026-07-02T00:00:00Z"}
    return json.dumps({"data": [{**bucket, "results": [result]}], "has_more": False, "next_page": None})


ANTHROPIC_USAGE = anthropic(
    uncached_input_tokens=100,
    cache_creation={"ephemeral_1h_input_tokens": 5, "ephemeral_5m_input_tokens": 15},
    cache_read_input_tokens=80,
    output_tokens=40,
    server_tool_use={"web_search_requests": 0},
    model=CLAUDE,
)
ANTHROPIC_COSTS = anthropic(amount="2.0", currency="USD", model=CLAUDE, token_type="output_tokens", cost_type="tokens")


async def reconciled(
    folder: Path, text: str, calls: Sequence[Call], tolerance: str = "0", provider: str | None = None
) -> Reconciliation:
    async with Database(str(folder / "ledger.db")) as database:
        await keep(database, *calls)
        return await reconcile(database, read_report(text), Decimal(tolerance), provider)


def two(model: str, provider: str = "") -> list[Call]:
    """Two calls that the reports above have, and one of another vendor."""
    provider = provider or ("anthropic" if "claude" in model else "openai")
    name = f"{provider}:{model}"
    return [*(call_of(run, answered=name) for run in "ab"), call_of("c", answered="mistral:large")]


@pytest.mark.parametrize(
    ("text", "model"),
    [
        (openai_usage(), GPT),
        (OPENAI_USAGE_CSV, "gpt-5.4"),
        ("\ufeff" + OPENAI_USAGE_CSV.replace(",", "\t"), GPT),
        (openai_costs((0.0125, f"{GPT}, cached input"), (0.0075, f"{GPT} audio, output")), GPT),
        (openai_costs((0.02, None)), GPT),
        (OPENAI_COSTS_CSV, GPT),
        (ANTHROPIC_USAGE, CLAUDE),
        (f"[{ANTHROPIC_USAGE}]", CLAUDE),
        (ANTHROPIC_USAGE_CSV, CLAUDE),
        (ANTHROPIC_COSTS, CLAUDE),
        (ANTHROPIC_COSTS_CSV, CLAUDE),
    ],
    ids=lambda text: text[:40],
)
async def test_each_report_agrees_with_what_it_bills(tmp_path: Path, text: str, model: str) -> None:
    found = await reconciled(tmp_path, text, two(model))
    assert [(row.day, row.verdict) for row in found.rows] == [(DAY, "agrees")]
    assert (found.differs, found.is_complete, found.first) == (False, True, DAY)

    wrong = await reconciled(tmp_path, text, [call_of("d", usd="1", answered=f"{found.vendor}:{model}")])
    [row] = wrong.rows
    judged = {name for name, value in (row.vendor.model_dump() if row.vendor else {}).items() if value is not None}
    assert (row.verdict, {*row.differing}) == ("differs", judged)


async def test_what_one_side_alone_has(tmp_path: Path) -> None:
    pages = openai_usage(model="gpt-image-2", input_tokens=7) + "\n" + openai_usage().replace("false", "true")
    calls = [call_of("a", answered=f"openai:{GPT}"), call_of("b", answered=f"openai:{GPT}")]
    found = await reconciled(tmp_path, pages, [*calls, call_of("c", answered="openai:o3")])
    assert [(row.model, row.verdict) for row in found.rows] == [
        ("gpt-5-4", "agrees"),
        ("gpt-image-2", "only vendor"),
        ("o3", "only ledger"),
    ]
    only_vendor, only_ledger = found.rows[1:]
    assert (only_vendor.ledger, only_ledger.vendor, found.is_complete) == (None, None, False)
    assert only_ledger.ledger and only_ledger.ledger.usd == Decimal("0.01")


async def test_fees_are_rows_without_a_model(tmp_path: Path) -> None:
    found = await reconciled(tmp_path, openai_costs((0.02, f"{GPT}, input"), (0.5, "web search tool calls")), two(GPT))
    assert [(row.model, row.verdict) for row in found.rows] == [(None, "only vendor"), ("gpt-5-4", "agrees")]


async def test_the_tolerance_is_a_share_of_the_larger_figure(tmp_path: Path) -> None:
    text = openai_costs((0.0202, f"{GPT}, input"))
    assert (await reconciled(tmp_path, text, two(GPT), "0.009")).differs
    assert not (await reconciled(tmp_path, text, two(GPT), "0.01")).differs


async def test_a_lost_call_may_be_billed_up_to_its_reservation(tmp_path: Path) -> None:
    lost = call_of("z", outcome=LOST, model_asked=f"openai:{GPT}", low_usd=Decimal("0.001"), high_usd=Decimal("0.03"))
    [row] = (await reconciled(tmp_path, openai_costs((0.05, f"{GPT}, input")), [*two(GPT), lost])).rows
    assert (row.verdict, row.lost_calls, row.lost_high_usd) == ("agrees", 1, Decimal("0.03"))
    [row] = (await reconciled(tmp_path, openai_costs((0.06, f"{GPT}, input")), [])).rows
    assert row.verdict == "differs"


@pytest.mark.parametrize(("provider", "named"), [("litellm", None), ("azure", "azure"), ("openrouter", None)])
async def test_providers_whose_calls_the_vendor_billed(tmp_path: Path, provider: str, named: str | None) -> None:
    model = GPT if named else f"openai/{GPT}"
    found = await reconciled(tmp_path, openai_usage(), two(model, provider), provider=named)
    assert [row.verdict for row in found.rows] == ["only vendor" if provider == "openrouter" else "agrees"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", "null", '{"data": 5}', "a,b\n1,2\n", '{"data": [], "has_more": false}'),
        openai_costs((0.02, None)).replace("usd", "eur"),
        OPENAI_USAGE_CSV.replace("200.0", "many"),
        ANTHROPIC_COSTS.replace("2026-07-01", "yesterday"),
    ],
    ids=range(10),
)
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(InputInvalid, match="usage or the costs of OpenAI and Anthropic"):
        read_report(text)
