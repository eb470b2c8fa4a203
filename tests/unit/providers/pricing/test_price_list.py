"""prices.yaml: which entry holds, when, and where a mistake is."""

import hashlib
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from llmflow.errors import ConfigInvalid
from llmflow.providers.pricing import price_list
from llmflow.providers.pricing.billing import PaidCall
from llmflow.providers.pricing.price_list import PriceList, load_price_list
from llmflow.types.usage import Cost, Usage

NOW = datetime(2026, 11, 20, tzinfo=UTC)
MILLION = Usage(input_tokens=1_000_000)

GOOD = """
    openai:gpt-6.1-sol:
      input: 1.25
      cached: 0.125
      cache_write: 1.5
      audio_input: 20
      output: 10
      reasoning: 12
      audio_output: 40
      tiers:
        batch: {input: 0.5, cached: 0.1, cache_write: 1, audio_input: 10, output: 5, reasoning: 6, audio_output: 20}
    openai:gpt-6*: {input: 7, output: 8}
    openai:gpt-6-luna*: {input: 6, output: 8}
    gateway:claude-*:
      - {from: 2026-10-01, input: 2.5, output: 12}
      - {input: 3, output: 15}
      - {from: 2026-12-01, input: 2, output: 10}
    eu:late: {from: 2026-12-01, input: 1, output: 1}
    local:*: {input: 0, output: 0}
"""


def cost(prices: PriceList, call: PaidCall) -> Cost | None:
    def public(call: PaidCall) -> Cost:
        return call.cost(Decimal(2), "a public list")

    return prices.cost(call, (*call.names, call.asked_model), public)


def load(tmp_path: Path, text: str) -> PriceList:
    path = tmp_path / "prices.yaml"
    path.write_text(dedent(text).strip() + "\n")
    return load_price_list(path)


def call(asked: str, answered: str | None = None, *, usage: Usage = MILLION, **fields: Any) -> PaidCall:
    given: dict[str, Any] = {"asked": asked, "answered": answered or asked.partition(":")[2], "usage": usage, "at": NOW}
    return PaidCall(**{**given, **fields})


@pytest.mark.parametrize(
    ("parts", "usd"),
    [
        ({"input_tokens": 1_000_000}, "1.25"),
        ({"input_tokens": 1_000_000, "cache_read_tokens": 1_000_000}, "0.125"),
        ({"input_tokens": 1_000_000, "cache_read_tokens": 600_000, "cache_write_tokens": 400_000}, "0.675"),
        ({"input_tokens": 1_000_000, "input_audio_tokens": 100_000}, "3.125"),
        ({"output_tokens": 1_000_000}, "10"),
        ({"output_tokens": 1_000_000, "reasoning_tokens": 500_000}, "11"),
        ({"output_tokens": 1_000_000, "reasoning_tokens": 500_000, "output_audio_tokens": 500_000}, "26"),
        ({"input_tokens": 1}, "0.00000125"),
    ],
)
def test_parts(tmp_path: Path, parts: dict[str, Any], usd: str) -> None:
    prices = load(tmp_path, GOOD)
    assert cost(prices, call("openai:gpt-6.1-sol", usage=Usage(**parts))) == Cost(
        usd=Decimal(usd), source=prices.source
    )


def test_the_source_names_the_version_of_the_file(tmp_path: Path) -> None:
    prices = load(tmp_path, GOOD)
    digest = hashlib.sha256((tmp_path / "prices.yaml").read_bytes()).hexdigest()
    assert prices.source == f"prices.yaml@{digest[:12]}"


@pytest.mark.parametrize(
    ("asked", "answered", "usd", "matched"),
    [
        ("openai:gpt-6.1-sol", "gpt-6.1-sol", "1.25", None),
        ("openai:gpt-6.1-sol", "gpt-6.1-sol-2026-09-29", "1.25", "openai:gpt-6.1-sol"),  # exact, though as asked
        ("openai:mine", "gpt-6.1-sol", "1.25", None),
        ("openai:gpt-6-luna", "gpt-6-luna", "6", "openai:gpt-6-luna*"),  # the longest beginning
        ("openai:gpt-6", "gpt-6", "7", "openai:gpt-6*"),
        ("gateway:claude-opus", "something", "2.5", "gateway:claude-*"),
        ("local:qwen3:8b", "qwen3:8b", "0", "local:*"),
    ],
)
def test_which_entry(tmp_path: Path, asked: str, answered: str, usd: str, matched: str | None) -> None:
    found = cost(load(tmp_path, GOOD), call(asked, answered))
    assert found is not None
    assert (found.usd, found.matched) == (Decimal(usd), matched)


@pytest.mark.parametrize("asked", ["azure:gpt-6.1-sol", "openai:gpt-5", "gateway:gpt-6", "gpt-6", "eu:late"])
def test_no_entry(tmp_path: Path, asked: str) -> None:
    assert cost(load(tmp_path, GOOD), call(asked)) is None


@pytest.mark.parametrize(
    ("at", "usd", "since"),
    [
        (datetime(2020, 1, 1, tzinfo=UTC), "3", None),
        (datetime(2026, 9, 30, 23, 59, tzinfo=UTC), "3", None),
        (datetime(2026, 10, 1, tzinfo=UTC), "2.5", date(2026, 10, 1)),
        (datetime(2026, 9, 30, 23, tzinfo=timezone(timedelta(hours=-2))), "2.5", date(2026, 10, 1)),  # days are UTC's
        (datetime(2027, 1, 1, tzinfo=UTC), "2", date(2026, 12, 1)),
    ],
)
def test_dates(tmp_path: Path, at: datetime, usd: str, since: date | None) -> None:
    found = cost(load(tmp_path, GOOD), call("gateway:claude-opus", at=at))
    assert found is not None
    assert (found.usd, found.price_date) == (Decimal(usd), since)


def test_tiers(tmp_path: Path) -> None:
    prices = load(tmp_path, GOOD)
    found = cost(prices, call("openai:gpt-6.1-sol", tier="batch"))
    assert found is not None
    assert (found.usd, found.tier) == (Decimal("0.5"), "batch")
    with pytest.raises(LookupError, match=r"prices.yaml@\w+ does not know tier 'flex' of openai:gpt-6.1-sol"):
        cost(prices, call("openai:gpt-6.1-sol", tier="flex"))


def test_amounts_are_exact(tmp_path: Path) -> None:
    exact = "0.12345678901234567890123"
    for written in (exact, f'"{exact}"', "12345678901234567890123e-23"):
        [price] = load(tmp_path, f"a:b: {{input: {written}, output: 1_000.5}}").models["a:b"]
        assert price.standard
        assert (price.standard.base.input, price.standard.base.output) == (Decimal(exact), Decimal("1000.5"))


def test_entries_may_share_what_they_have_in_common(tmp_path: Path) -> None:
    text = "a:b: &b {input: 1.5, output: 2}\na:c: {<<: *b, output: 3}"
    [price] = load(tmp_path, text).models["a:c"]
    assert price.standard
    assert (price.standard.base.input, price.standard.base.output) == (Decimal("1.5"), Decimal(3))


STEPS = """
    a:b:
      input: 1
      cached: 0.1
      output: 10
      fees: {web_searches: 0.01, "usage.server_tool_use.code_execution_requests": 0.05}
      above:
        - {tokens: 200, input: 2, cached: 0.2, output: 15}
        - {tokens: 300, input: 3, cached: 0.3, output: 20, fees: {web_searches: 0}}
      tiers:
        flex: {input: 0.5, cached: 0.05, output: 5, above: {tokens: 200, input: 1, cached: 0.1, output: 7}}
    c:*: {discount: 12.5%}
"""


@pytest.mark.parametrize(
    ("tier", "usage", "usd"),
    [
        (None, Usage(input_tokens=200, output_tokens=10), "0.0003"),
        (None, Usage(input_tokens=201, output_tokens=10), "0.000552"),
        (None, Usage(input_tokens=301, cache_read_tokens=301), "0.0000903"),
        ("flex", Usage(input_tokens=200, output_tokens=10), "0.00015"),
        ("flex", Usage(input_tokens=201, output_tokens=10), "0.000271"),
        (None, Usage(input_tokens=1, web_searches=3), "0.030001"),
        (None, Usage(input_tokens=301, web_searches=3), "0.000903"),
        ("flex", Usage(input_tokens=2, web_searches=3), "0.030001"),
        (None, Usage(input_tokens=1, unread={"usage.server_tool_use.code_execution_requests": 2}), "0.100001"),
    ],
)
def test_steps_and_fees(tmp_path: Path, tier: str | None, usage: Usage, usd: str) -> None:
    found = cost(load(tmp_path, STEPS), call("a:b", usage=usage, tier=tier))
    assert found is not None
    assert found.usd == Decimal(usd)


def test_what_has_no_fee_has_no_price(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"has no price of a:b: it has no price of file_searches \(1\)"):
        cost(load(tmp_path, STEPS), call("a:b", usage=Usage(input_tokens=1, file_searches=1)))


def test_a_discount_on_the_public_price(tmp_path: Path) -> None:
    prices = load(tmp_path, STEPS)
    found = cost(prices, call("c:d", tier="flex"))
    assert found == Cost(usd=Decimal("1.75"), source=f"{prices.source}: 12.5 % off a public list", tier="flex")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "1:1: prices.yaml must be a mapping, not a list"),
        ("gpt-6: {input: 1, output: 2}", "1:8: 'gpt-6' names no model: write `provider:model`"),
        ("a:*b: {input: 1, output: 2}", "1:7: 'a:*b' names no model"),
        ("a:b: {input: 1, outptu: 2}", "has no field 'outptu' (did you mean `output`?)"),
        ("a:b:\n  input: 1\n", "2:3: a:b has no `output`: give US dollars per million tokens, or 0 if it is free"),
        ("a:b: 3", "1:6: the price of a:b must be a mapping, not 3"),
        ("a:b: []", "1:6: a:b has no price: give `input` and `output`"),
        ("a:b: {input: $1, output: 2}", "1:14: `input` must be US dollars per million tokens, such as 1.25, not '$1'"),
        ("a:b: {input: -1, output: 2}", "`input` must be"),
        ("a:b: {input: .nan, output: 2}", "`input` must be"),
        ("a:b: {input: .inf, output: 2}", "`input` must be"),
        ("a:b: {input: true, output: 2}", "`input` must be"),
        ("a:b: {input: , output: 2}", "`input` must be"),
        ("a:b: {input: [1], output: 2}", "`input` must be"),
        ("a:b: {input: 1, output: 2, from: soon}", "1:34: `from` must be a day such as 2026-10-01, not 'soon'"),
        ("a:b: {input: 1, output: 2, from: 2026-10-01T12:00:00Z}", "`from` must be a day"),
        ("a:b:\n- {input: 1, output: 2}\n- {input: 1, output: 2}", "2:1: a:b has two prices without `from`"),
        (
            "a:b:\n- {from: 2026-10-01, input: 1, output: 2}\n- {from: 2026-10-01, input: 1, output: 3}",
            "a:b has two prices `from: 2026-10-01`: give each the day from which it applies",
        ),
        ("a:b: {input: 1, output: 2}\na:b: {input: 1, output: 2}", "2:1: found duplicate key"),
        ("a:b: {input: 1, output: 2, tiers: [flex]}", "`tiers` must be a mapping, not a list"),
        ("a:b: {input: 1, output: 2, tiers: {default: {input: 1, output: 2}}}", "this is the standard tier"),
        ("a:b: {input: 1, output: 2, tiers: {flex: {input: 1}}}", "tier 'flex' of a:b has no `output`"),
        (
            "a:b: {input: 1, cached: 0.1, output: 2, tiers: {flex: {input: 1, output: 1}}}",
            "tier 'flex' of a:b has no `cached`, which has its own price in the standard tier: add it",
        ),
        ("a:b: {input: 1, output: 2, tiers: {flex: {input: 1, output: 1, from: 2026-01-01}}}", "has no field 'from'"),
        ("a:b: {input: 1, output: 2, discount: 5%}", "a:b has prices and a `discount`"),
        ("a:b: {discount: 5}", "`discount` must be a share of the public price, such as 15%, not 5"),
        ("a:b: {discount: 101%}", "`discount` must be"),
        ("a:b: {input: 1, output: 2, fees: {web_searches: much}}", "`web_searches` must be US dollars each"),
        ("a:b: {input: 1, output: 2, above: {input: 1, output: 2}}", "`above` of a:b needs `tokens`"),
        ("a:b: {input: 1, output: 2, above: {tokens: 0, input: 1, output: 2}}", "`above` of a:b needs `tokens`"),
        ("a:b: {input: 1, output: 2, above: {tokens: 5, input: 1}}", "`above` of a:b has no `output`"),
        (
            "a:b: {input: 1, cached: 1, output: 2, above: {tokens: 5, input: 1, output: 2}}",
            "`above` of a:b has no `cached`, which has its own price in shorter inputs: add it",
        ),
    ],
)
def test_a_mistake_says_where_it_is(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigInvalid) as failed:
        load(tmp_path, text)
    assert failed.value.message.startswith(f"{tmp_path / 'prices.yaml'}:")
    assert said in failed.value.message


def test_the_examples_are_price_lists(tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs" / "cost.md").read_text()
    shown = page.split("```yaml\n")[1].split("```")[0]
    described = (price_list.__doc__ or "").split("\n", 1)[1]
    for text in (shown, described):
        prices = load(tmp_path, text)
        assert {key for key, _ in prices.prefixes} == {"gateway:claude-", "azure:", "local:"}
        assert [*prices.models] == ["openai:gpt-6.1-sol"]


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ConfigInvalid, match=r"nowhere.yaml: cannot be read"):
        load_price_list(Path("nowhere.yaml"))
