"""Parts of a cost, and what caches and tiers save. The amounts are worked out by hand, per million tokens."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from llmflow.providers.pricing.price_list import load_price_list
from llmflow.providers.pricing.prices import Prices
from llmflow.types.models import ModelResponse
from llmflow.types.usage import CostParts, Usage

NOW = datetime(2026, 11, 20, tzinfo=UTC)
MINI, HAIKU, FLASH = "openai:gpt-4o-mini", "anthropic:claude-haiku-4-5", "google:gemini-2.5-pro"
OWN = """\
mine:*:
  {input: 4, cached: 1, cache_write: 5, output: 8, fees: {web_searches: 0.01},
   tiers: {batch: {input: 2, cached: 0.5, cache_write: 2.5, output: 4}},
   above: [{tokens: 1000, input: 8, cached: 2, cache_write: 10, output: 16}]}
"""


def parts(model: str, usage: dict[str, int], tier: str | None = None, prices: Prices | None = None) -> CostParts:
    prices = prices or Prices()
    answer = ModelResponse(text="", model=model.partition(":")[2], usage=Usage.model_validate(usage), service_tier=tier)
    cost = prices.price(model, answer, NOW)
    found = prices.parts(model, answer, NOW, cost)
    if found.input_usd is not None and found.output_usd is not None and "web_searches" not in usage:
        assert found.input_usd + found.output_usd == cost.usd
    return found


def amounts(found: CostParts) -> list[str | None]:
    return [None if usd is None else str(usd.normalize() + 0) for usd in found.__dict__.values()]


@pytest.mark.parametrize(
    ("model", "usage", "tier", "wanted"),
    [
        # 0.15 in, 0.075 cached, 0.60 out
        (MINI, {"input_tokens": 2_000_000, "output_tokens": 500_000}, None, ["0.3", "0.3", "0", "0"]),
        (MINI, {"input_tokens": 1_000_000, "cache_read_tokens": 400_000}, None, ["0.12", "0", "0.03", "0"]),
        (MINI, {"output_tokens": 10}, None, ["0", "0.000006", "0", "0"]),
        # 1 in, 1.25 written, 0.1 read, 5 out
        (HAIKU, {"input_tokens": 100, "cache_write_tokens": 100}, None, ["0.000125", "0", "-0.000025", "0"]),
        # 1.25 in and 10 out up to 200,000 tokens of input, 2.5 and 15 above
        (FLASH, {"input_tokens": 400_000, "output_tokens": 100_000}, None, ["1", "1.5", "0", "0"]),
        ("nobody:knows", {"input_tokens": 5, "output_tokens": 5}, None, [None] * 4),
    ],
)
def test_parts_by_public_lists(model: str, usage: dict[str, int], tier: str | None, wanted: list[str | None]) -> None:
    assert amounts(parts(model, usage, tier)) == wanted


@pytest.mark.parametrize(
    ("usage", "tier", "wanted"),
    [
        ({"input_tokens": 1000, "output_tokens": 1000}, "batch", ["0.002", "0.004", "0", "0.006"]),
        ({"input_tokens": 2000, "output_tokens": 1000}, None, ["0.016", "0.016", "0", "0"]),
        ({"input_tokens": 1000, "output_tokens": 500, "web_searches": 3}, None, ["0.004", "0.004", "0", "0"]),
        ({"input_tokens": 1000, "cache_read_tokens": 1000}, None, ["0.001", "0", "0.003", "0"]),
    ],
)
def test_parts_by_a_list_of_ones_own(
    tmp_path: Path, usage: dict[str, int], tier: str | None, wanted: list[str | None]
) -> None:
    (tmp_path / "prices.yaml").write_text(OWN)
    prices = Prices(load_price_list(tmp_path / "prices.yaml"))
    assert amounts(parts("mine:model", usage, tier, prices)) == wanted


def test_a_bill_of_the_vendor_is_not_divided() -> None:
    usage = Usage(input_tokens=5, output_tokens=5)
    answer = ModelResponse(text="", model="gpt-4o-mini", usage=usage, reported_usd=Decimal(1))
    prices = Prices()
    assert prices.parts(MINI, answer, NOW, prices.price(MINI, answer, NOW)) == CostParts()
