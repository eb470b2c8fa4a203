"""Prices: dated, by tier, by what the vendor says; and never a guess. The amounts are worked out by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import genai_prices
import pytest

from llmflow.providers.pricing.billing import PaidCall
from llmflow.providers.pricing.price_list import load_price_list
from llmflow.providers.pricing.prices import Prices, warm_prices
from llmflow.types.models import ModelResponse
from llmflow.types.usage import Cost, Usage

NOW = datetime(2026, 11, 20, tzinfo=UTC)
Tokens = dict[str, Any]  # Any: numbers, as other parameters are not
SOURCE = f"genai-prices {genai_prices.__version__}"


def cost(
    asked: str, answered: str | None = None, *, at: datetime = NOW, prices: Prices | None = None, **fields: Any
) -> Cost:
    usage = {name: fields.pop(name) for name in list(fields) if name in Usage.model_fields}
    usage = usage or {"input_tokens": 1_000_000, "output_tokens": 1_000_000}
    model = answered or asked.partition(":")[2]
    return (prices or Prices()).price(asked, ModelResponse(text="", model=model, usage=Usage(**usage), **fields), at)


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        # gpt-4o-mini costs 0.15 in, 0.075 cached, 0.60 out per million
        ({"input_tokens": 1_000_000, "output_tokens": 1_000_000}, "0.75"),
        ({"input_tokens": 1_000_000, "cache_read_tokens": 1_000_000}, "0.075"),
        ({"input_tokens": 1_000_000, "cache_read_tokens": 600_000}, "0.105"),
        ({"output_tokens": 1_000_000, "reasoning_tokens": 900_000}, "0.6"),
        ({"input_tokens": 1}, "0.00000015"),
    ],
)
def test_tokens(usage: Tokens, usd: str) -> None:
    assert cost("openai:gpt-4o-mini", **usage) == Cost(usd=Decimal(usd), source=SOURCE)


def test_written_to_the_cache() -> None:
    # gpt-6-luna: 0.10 in, 0.01 read, 0.125 written, 0.50 out
    parts: Tokens = {"input_tokens": 100_000, "cache_read_tokens": 50_000, "cache_write_tokens": 40_000}
    assert cost("openai:gpt-6-luna", **parts).usd == Decimal("0.0065")


def test_what_stays_in_the_cache_for_an_hour_costs_more() -> None:
    # claude-sonnet-4-5: 3 in, 3.75 written for minutes, 6 for an hour, 15 out
    parts: Tokens = {"input_tokens": 110_000, "cache_write_tokens": 100_000, "output_tokens": 1000}
    assert cost("anthropic:claude-sonnet-4-5", **parts).usd == Decimal("0.42")
    assert cost("anthropic:claude-sonnet-4-5", **parts, cache_write_1h_tokens=100_000).usd == Decimal("0.645")
    assert cost("anthropic:claude-sonnet-4-5", **parts, cache_write_1h_tokens=60_000).usd == Decimal("0.555")


def test_a_list_without_a_price_for_an_hour_does_not_price_it_as_minutes() -> None:
    parts: Tokens = {"input_tokens": 1000, "cache_write_tokens": 500}
    assert cost("openrouter:anthropic/claude-sonnet-4.5", **parts).usd
    found = cost("openrouter:anthropic/claude-sonnet-4.5", **parts, cache_write_1h_tokens=1)
    assert found.usd is None
    assert "has no price of anthropic/claude-sonnet-4.5 for cache_write_1h_tokens" in found.source


def test_long_inputs_have_a_higher_price() -> None:
    assert cost("openai:gpt-5.4", input_tokens=100_000).usd == Decimal("0.25")
    assert cost("openai:gpt-5.4", input_tokens=1_000_000).usd == Decimal(5)


def test_sound() -> None:
    # gpt-audio: 2.50 in, 32 for sound; 10 out, 64 for sound
    tokens: Tokens = {"input_tokens": 2_000_000, "input_audio_tokens": 1_000_000}
    tokens |= {"output_tokens": 2_000_000, "output_audio_tokens": 1_000_000}
    assert cost("openai:gpt-audio", **tokens).usd == Decimal("108.5")


def test_prices_are_dated() -> None:
    before, after = datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 6, 13, tzinfo=UTC)
    assert cost("openai:o3", at=before).usd == Decimal(50)
    assert cost("openai:o3", at=after) == Cost(usd=Decimal(10), source=SOURCE, price_date=date(2025, 6, 10))


@pytest.mark.parametrize(
    ("tier", "usd", "shown"),
    [
        (None, "3.75", None),
        ("default", "3.75", None),
        ("auto", "3.75", None),
        ("batch", "1.875", "batch"),
        ("flex", "1.875", "flex"),
        ("priority", "7.5", "priority"),
    ],
)
def test_service_tiers(tier: str | None, usd: str, shown: str | None) -> None:
    tokens: Tokens = {"input_tokens": 2_000_000, "output_tokens": 500_000}  # gpt-5.4-mini: 0.75 in, 4.50 out
    assert cost("openai:gpt-5.4-mini", service_tier=tier, **tokens) == Cost(usd=Decimal(usd), source=SOURCE, tier=shown)


@pytest.mark.parametrize(("model", "tier"), [("openai:gpt-5.4-mini", "ultrafast"), ("openai:gpt-6-rosalind", "flex")])
def test_a_tier_without_a_price_of_its_own_is_not_priced_as_another(model: str, tier: str) -> None:
    found = cost(model, service_tier=tier)
    assert (found.usd, found.tier) == (None, tier)
    assert found.source.startswith(f"no price: {SOURCE} does not know tier {tier!r}")


@pytest.mark.parametrize(
    ("model", "at", "tier"),
    [
        ("openai:gpt-5.4-mini", datetime(2026, 6, 1, tzinfo=UTC), "flex"),  # before the list's first price
        ("azure:gpt-5.4-mini", NOW, "batch"),  # priced from OpenAI's list, whose tiers are not Azure's
    ],
)
def test_a_tier_that_only_litellm_knows_is_priced_by_it(model: str, at: datetime, tier: str) -> None:
    found = cost(model, at=at, service_tier=tier)
    assert found.usd
    assert found.source.startswith("litellm ")


def test_what_the_vendor_says_comes_first() -> None:
    found = cost("openrouter:openai/gpt-5.4", reported_usd=Decimal("0.0042"), service_tier="flex")
    assert found == Cost(usd=Decimal("0.0042"), source="vendor", tier="flex")


@pytest.mark.parametrize(
    ("reported", "usd"),
    [
        ("0.00123456789012345678", "0.001234567890"),
        ("0.0000000000015", "0.000000000002"),
        ("0.0000000000004", "0"),
        ("123456.7890123", "123456.7890123"),
    ],
)
def test_what_the_vendor_says_is_frozen_in_the_trillionths_that_the_ledger_keeps(reported: str, usd: str) -> None:
    assert cost("openrouter:openai/gpt-5.4", reported_usd=Decimal(reported)).usd == Decimal(usd)


def test_offline_costs_nothing_and_says_why() -> None:
    assert cost("offline:smart", "extractive") == Cost(usd=Decimal(0), source="offline: no model was asked")


def test_no_usage_is_not_free() -> None:
    found = cost("openai:gpt-5.4", input_tokens=0)
    assert found == Cost(usd=None, source="no price: the vendor reported no usage")


@pytest.mark.parametrize(
    ("asked", "answered", "base_url", "matched"),
    [
        ("openai:gpt-5.4", "gpt-5.4-2026-03-05", None, "gpt-5.4"),
        ("openai:gpt-5.4", "gpt-5.4", "https://gateway.corp.test/v1", None),
        ("gemini:gemini-2.5-pro", "gemini-2.5-pro", "https://gateway.corp.test/v1", None),
        ("xai:grok-4", "grok-4", None, "grok-4-0709"),
        (
            "any:together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo",
            "meta-llama/Llama-3.3-70B-Instruct-Turbo",
            None,
            None,
        ),
        ("eu:gpt-5.4", "gpt-5.4", "https://api.openai.com/v1", None),
        ("azure:mine-in-sweden", "gpt-5.4-2026-03-05", None, "gpt-5.4"),
        ("quick:llama-3.3-70b-versatile", "llama-3.3-70b-versatile", "https://api.groq.com/openai/v1", None),
        ("openai:openai/gpt-5.4", "openai/gpt-5.4", "https://openrouter.ai/api/v1", None),
    ],
)
def test_whose_list(asked: str, answered: str, base_url: str | None, matched: str | None) -> None:
    found = cost(asked, answered, base_url=base_url, input_tokens=1000, output_tokens=10)
    assert found.usd
    assert (found.source.split(";")[0], found.matched) == (SOURCE, matched)


@pytest.mark.parametrize(
    ("asked", "base_url"),
    [
        ("local:gpt-oss-20b", "http://localhost:11434/v1"),  # OpenAI's list has it; this machine is not OpenAI
        ("local:qwen3:8b", "http://localhost:11434/v1"),
        ("gateway:gpt-5.4", "https://gateway.corp.test/v1"),
        ("openai:gpt-99", None),
        ("my-openai:gpt-5.4", None),  # a name that contains a vendor's is not the vendor's
        ("openai-local:gpt-5.4", "http://localhost:11434/v1"),
        ("mistral-local:mistral-small-latest", "http://localhost:11434/v1"),
        ("my-google:gemini-2.5-flash", "http://localhost:11434/v1"),
        ("litellm:anthropic/claude-sonnet-4-5", "http://localhost:11434/v1"),
        ("scripted:script", None),
        ("", None),
    ],
)
def test_unknown_is_not_free(asked: str, base_url: str | None) -> None:
    found = cost(asked, base_url=base_url, input_tokens=1000)
    assert found.usd is None
    assert found.source.startswith(f"no price: {SOURCE} does not know")


def test_contradictory_counts_have_no_price() -> None:
    found = cost("openai:gpt-5.4", input_tokens=100, cache_read_tokens=200)
    assert found.usd is None
    assert "cache_read_tokens (200) cannot exceed input_tokens (100)" in found.source


def test_a_list_without_a_price_is_not_free() -> None:
    found = cost("cerebras:qwen-3-coder-480b")  # the entry is there, and empty
    assert found.usd is None
    assert found.source.startswith(f"no price: {SOURCE} has no price of qwen-3-coder-480b; litellm")


@pytest.fixture
def own(tmp_path: Path) -> Prices:
    path = tmp_path / "prices.yaml"
    path.write_text("openai:gpt-5.4: {input: 1, output: 2}\nlocal:*: {input: 0, output: 0}\n")
    return Prices(load_price_list(path))


def test_the_users_list_comes_before_the_others_and_after_the_vendor(own: Prices) -> None:
    assert cost("openai:gpt-5.4", prices=own).usd == Decimal(3)
    assert cost("openai:gpt-5.4", prices=own, reported_usd=Decimal("0.5")).usd == Decimal("0.5")
    assert cost("openai:gpt-4o-mini", prices=own) == Cost(usd=Decimal("0.75"), source=SOURCE)


def test_a_price_of_many_decimals_is_frozen_in_trillionths_too(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("openai:gpt-5.4: {input: 0.12345678, output: 0}\n")
    fine = Prices(load_price_list(path))
    assert cost("openai:gpt-5.4", prices=fine, input_tokens=1).usd == Decimal("0.000000123457")


def test_a_tier_that_the_users_list_does_not_know_is_not_priced_by_another_list(own: Prices) -> None:
    assert cost("openai:gpt-5.4", service_tier="flex").usd
    found = cost("openai:gpt-5.4", prices=own, service_tier="flex")
    assert (found.usd, found.tier) == (None, "flex")
    assert "does not know tier 'flex' of openai:gpt-5.4" in found.source


def test_a_free_model_is_free_without_usage(own: Prices) -> None:
    assert cost("local:qwen3:8b", prices=own, input_tokens=0).usd == 0
    assert cost("openai:gpt-5.4", prices=own, input_tokens=0).usd is None


@pytest.mark.parametrize("model", ["openai:gpt-5.4", "openai:gpt-4o-mini", "gateway:gpt-5.4", "offline:smart"])
def test_a_call_is_priced_again_as_it_was(own: Prices, model: str) -> None:
    """From what a ledger keeps: the price of the same day by the same lists is the same."""
    url, usage = "https://gateway.corp.test/v1", Usage(input_tokens=7, output_tokens=3, cache_read_tokens=2)
    frozen = cost(model, prices=own, base_url=url, service_tier="default", **dict(usage))
    kept = PaidCall(asked=model, answered=model.partition(":")[2], usage=usage, at=NOW, tier=frozen.tier, base_url=url)
    assert own.look_up(kept) == frozen


def test_a_call_is_priced_again_at_the_price_of_its_day() -> None:
    usage, then = Usage(input_tokens=1_000_000), datetime(2025, 6, 1, tzinfo=UTC)
    assert Prices().look_up(PaidCall(asked="openai:o3", answered="o3", usage=usage, at=then)).usd == Decimal(10)
    assert Prices().look_up(PaidCall(asked="openai:o3", answered="o3", usage=usage, at=NOW)).usd == Decimal(2)


@pytest.mark.parametrize(
    ("model", "address"),
    [
        ("cheapo:deepseek-chat", "https://api.deepseek.com/v1"),
        ("gw:anthropic/claude-sonnet-4-5", "http://gateway.corp.test/v1"),
        ("openai:gpt-5.4", "https://gateway.corp.test/v1"),
        ("any:anthropic/claude-sonnet-4-5", None),
    ],
)
def test_a_call_is_expected_to_cost_what_it_will(model: str, address: str | None) -> None:
    usage = Usage(input_tokens=1000, output_tokens=10)
    prices = Prices(addresses={"other": "https://api.openai.com/v1", model.partition(":")[0]: address})
    assert prices.expected(model, usage, NOW) == cost(model, base_url=address, **dict(usage))


def test_the_vendor_in_front_of_the_model_counts_where_a_library_chose_the_address() -> None:
    asked = "any:anthropic/claude-sonnet-4-5"
    tokens: Tokens = {"input_tokens": 1000, "output_tokens": 1000}
    for answered in ("claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"):
        assert cost(asked, answered, **tokens).usd == Decimal("0.018")
    assert cost(asked, base_url="http://localhost:8000/v1", **tokens).usd is None


@pytest.mark.parametrize(
    ("asked", "answered", "source"),
    [
        ("openai:gpt-5.4", "gpt-99", "does not know openai:gpt-99"),
        ("openai:gpt-5.4", "gpt-99-mini", "does not know openai:gpt-99-mini"),
        ("azure:gpt-5.4", "mine-in-sweden", "does not know azure:mine-in-sweden"),
        ("gw:openai/gpt-5.4", "mystery", "does not know gw:mystery"),
    ],
)
def test_a_model_that_nobody_knows_has_not_the_price_of_the_one_that_was_asked(
    asked: str, answered: str, source: str
) -> None:
    found = cost(asked, answered)
    assert found.usd is None
    assert source in found.source


def test_the_users_price_of_a_deployment_and_of_another_model(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("azure:mine: {input: 1, output: 2}\nazure:gpt-5.4: {input: 1, output: 2}\n")
    own = Prices(load_price_list(path))
    assert cost("azure:mine", "gpt-5.4-mini-2026-03-17", prices=own).usd == Decimal(3)
    assert cost("azure:gpt-5.4", "named-by-the-server", prices=own).usd == Decimal(3)
    assert cost("azure:gpt-5.4", "gpt-5.4-mini", prices=own).source.startswith("genai-prices")


@pytest.mark.parametrize(
    ("asked", "url", "doubt"),
    [
        ("azure:gpt-5.4", None, "; a data zone or a region of Azure may cost 10 % more"),
        ("openai:gpt-5.4", "https://mine.openai.azure.com/openai/v1", "; a data zone or a region of Azure"),
        ("any:vertex_ai/claude-sonnet-4-5", None, "; a region of Vertex AI may cost 10 % more"),
        ("google:gemini-2.5-pro-experimental", None, "; gemini-2.5-pro-experimental is priced as gemini-2.5-pro"),
        ("deepseek:deepseek-chat", None, "; litellm "),
    ],
)
def test_a_doubt_is_said(asked: str, url: str | None, doubt: str) -> None:
    found = cost(asked, base_url=url)
    assert found.usd
    assert doubt in found.source


def test_a_discount_is_on_the_public_price(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("openai:*: {discount: 10%}\n")
    found = cost("openai:gpt-4o-mini", prices=Prices(load_price_list(path)))
    assert found.usd == Decimal("0.675")
    assert found.source.endswith(f": 10 % off {SOURCE}")


def test_warm_loads_the_lists() -> None:
    warm_prices()
