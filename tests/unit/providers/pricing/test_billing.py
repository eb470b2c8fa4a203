"""Properties of every price: no token is counted twice, none is forgotten, and nothing is below 0."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmflow.providers.pricing.billing import PaidCall, TokenPrices
from llmflow.providers.pricing.price_list import PriceList
from llmflow.providers.pricing.prices import Prices
from llmflow.types.usage import COUNTS, Usage

NOW = datetime(2026, 11, 20, tzinfo=UTC)

counts = st.integers(0, 10_000_000)
amounts = st.decimals(0, 1000, places=6)
parts = st.none() | amounts
token_prices = st.builds(
    TokenPrices,
    input=amounts,
    output=amounts,
    cached=parts,
    cache_write=parts,
    audio_input=parts,
    reasoning=parts,
    audio_output=parts,
)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Parts that do not overlap, and wholes that hold them all."""
    cached, written, heard, thought, spoken, text, answer = (draw(counts) for _ in range(7))
    return Usage(
        input_tokens=cached + written + heard + text,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        input_audio_tokens=heard,
        output_tokens=thought + spoken + answer,
        reasoning_tokens=thought,
        output_audio_tokens=spoken,
    )


def pure(usage: Usage) -> list[Usage]:
    """The same tokens, one usage for each kind."""
    inputs = ("cache_read_tokens", "cache_write_tokens", "input_audio_tokens")
    outputs = ("reasoning_tokens", "output_audio_tokens")
    counts = dict(usage)
    alone = [Usage(input_tokens=counts[part], **{part: counts[part]}) for part in inputs]
    alone += [Usage(output_tokens=counts[part], **{part: counts[part]}) for part in outputs]
    alone.append(Usage(input_tokens=usage.input_tokens - sum(counts[part] for part in inputs)))
    alone.append(Usage(output_tokens=usage.output_tokens - sum(counts[part] for part in outputs)))
    return [one for one in alone if one.input_tokens or one.output_tokens]


@given(token_prices, usages())
def test_the_whole_costs_what_its_parts_cost(token_prices: TokenPrices, usage: Usage) -> None:
    assume(usage.input_tokens or usage.output_tokens)
    total = token_prices.usd(usage)
    assert total == sum((token_prices.usd(one) for one in pure(usage)), Decimal(0))
    assert total >= 0


@given(amounts, amounts, usages())
def test_parts_without_a_price_of_their_own_change_nothing(read: Decimal, written: Decimal, usage: Usage) -> None:
    assume(usage.input_tokens or usage.output_tokens)
    bare = Usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
    assert TokenPrices(input=read, output=written).usd(usage) == TokenPrices(input=read, output=written).usd(bare)


@given(token_prices, usages())
def test_the_price_lies_between_the_cheapest_and_the_dearest_token(token_prices: TokenPrices, usage: Usage) -> None:
    tokens = usage.input_tokens + usage.output_tokens
    assume(tokens)
    each = [price for name, price in vars(token_prices).items() if price is not None and name != "fees"]
    assert min(each) * tokens <= token_prices.usd(usage) * 1_000_000 <= max(each) * tokens


@given(token_prices, st.builds(Usage, **dict.fromkeys(COUNTS, counts)))
def test_counts_that_contradict_each_other_have_no_price_and_never_a_negative_one(
    token_prices: TokenPrices, usage: Usage
) -> None:
    try:
        assert token_prices.usd(usage) >= 0
    except LookupError as error:
        assert any(said in str(error) for said in ("cannot exceed", "no usage", "no price of web_searches", "one-hour"))


def test_overlapping_parts_of_one_price_are_no_contradiction() -> None:
    """Sound from the cache is in both parts; only one of them has a price of its own."""
    usage = Usage(input_tokens=100, cache_read_tokens=90, input_audio_tokens=50)
    assert TokenPrices(input=Decimal(10), output=Decimal(0), cached=Decimal(1)).usd(usage) == Decimal("0.00019")


@pytest.mark.parametrize(
    ("usage", "said"),
    [
        (Usage(), "the vendor reported no usage"),
        (
            Usage(input_tokens=10, cache_read_tokens=9, cache_write_tokens=2),
            r"cache_read_tokens \(9\) \+ cache_write_tokens \(2\) cannot exceed input_tokens \(10\)",
        ),
        (Usage(output_tokens=1, reasoning_tokens=2), r"reasoning_tokens \(2\) cannot exceed output_tokens \(1\)"),
    ],
)
def test_no_price(usage: Usage, said: str) -> None:
    one = Decimal(1)
    with pytest.raises(LookupError, match=said):
        TokenPrices(input=one, output=one, cached=one, cache_write=one).usd(usage)


@given(usages(), st.sampled_from(["gpt-6-luna", "gpt-audio"]))
def test_genai_prices_counts_no_token_twice_either(usage: Usage, model: str) -> None:
    unpriced = ("cache_read_tokens", "cache_write_tokens") if model == "gpt-audio" else ("output_audio_tokens",)
    usage = usage.model_copy(update=dict.fromkeys(unpriced, 0))

    def usd(usage: Usage) -> Decimal | None:
        return Prices().look_up(PaidCall(asked=f"openai:{model}", answered=model, usage=usage, at=NOW)).usd

    assume(usage.input_tokens <= 100_000)  # longer ones have another price
    kinds = [usd(one) or Decimal(0) for one in pure(usage)]
    assert usd(usage) == (sum(kinds, Decimal(0)) if kinds else None)


def test_fees() -> None:
    one, searches = Decimal(1), Usage(input_tokens=1, web_searches=3, unread={"containers": 2})
    fees = {"web_searches": Decimal("0.01"), "containers": Decimal("0.03")}
    assert TokenPrices(input=one, output=one, fees=fees).usd(searches) == Decimal("0.090001")
    with pytest.raises(LookupError, match=r"it has no price of containers \(2\)"):
        TokenPrices(input=one, output=one, fees={"web_searches": one}).usd(searches)
    assert TokenPrices(input=Decimal(0), output=Decimal(0)).usd(searches) == 0


def test_an_hour_in_the_cache() -> None:
    usage = Usage(input_tokens=10, cache_write_tokens=8, cache_write_1h_tokens=6)
    prices = {name: Decimal(usd) for name, usd in (("input", 1), ("output", 0), ("cache_write", 2))}
    assert TokenPrices(**prices, cache_write_1h=Decimal(4), fees={}).usd(usage) == Decimal("0.000030")
    with pytest.raises(LookupError, match="no price for one-hour cache writes"):
        TokenPrices(**prices, fees={}).usd(usage)


names = st.text("abc-.", max_size=4)


@given(names, names, usages(), st.none() | st.sampled_from(["flex", "batch", "x"]))
def test_what_no_list_knows_is_unknown_and_never_0(provider: str, model: str, usage: Usage, tier: str | None) -> None:
    empty = PriceList(source="prices.yaml@0", models={}, prefixes=())
    call = PaidCall(asked=f"zz{provider}:{model}", answered=model, usage=usage, at=NOW, tier=tier)
    cost = Prices(empty).look_up(call)
    assert cost.usd is None
    assert cost.source.startswith("no price: ")
