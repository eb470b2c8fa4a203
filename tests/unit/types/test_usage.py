"""Tokens and money add up."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from llmflow.types.usage import COUNTS, Cost, Totals, Usage

TOKENS = st.integers(min_value=0, max_value=10**9)
UNREAD = st.dictionaries(st.sampled_from(["a", "b"]), st.integers(1, 9))
USAGES = st.builds(Usage, **dict.fromkeys(COUNTS, TOKENS), unread=UNREAD)


@given(USAGES, USAGES, USAGES)
def test_usage_adds_up_in_any_order(a: Usage, b: Usage, c: Usage) -> None:
    assert (a + b) + c == c + (b + a)
    assert (a + Usage()) == a
    assert (a + b).cache_read_tokens == a.cache_read_tokens + b.cache_read_tokens


def test_tokens_are_never_negative() -> None:
    with pytest.raises(ValidationError, match="input_tokens"):
        Usage(input_tokens=-1)


def test_an_unknown_price_is_counted_and_not_zero() -> None:
    totals = Totals().plus(Usage(input_tokens=5), Cost(usd=Decimal("0.1"), source="list"))
    totals = totals.plus(Usage(input_tokens=7), Cost(source="no price is known"))
    assert (totals.calls, totals.unpriced_calls, totals.usd) == (2, 1, Decimal("0.1"))
    assert totals.usage.input_tokens == 12


@pytest.mark.parametrize(
    ("usd", "written"),
    [
        ("1E-7", '"0.0000001"'),
        ("1E+2", '"100"'),
        ("0.10", '"0.10"'),
        ("0", '"0"'),
        ("123.4567890123", '"123.4567890123"'),
    ],
)
def test_money_is_written_out(usd: str, written: str) -> None:
    cost, totals = Cost(usd=Decimal(usd), source="list"), Totals(usd=Decimal(usd))
    assert f'"usd":{written}' in cost.model_dump_json()
    assert f'"usd":{written}' in totals.model_dump_json()
    assert Cost.model_validate_json(cost.model_dump_json()) == cost
    assert totals.model_dump()["usd"] == Decimal(usd)


def test_an_unknown_price_stays_unknown() -> None:
    assert Cost.model_validate_json(Cost(source="none").model_dump_json()).usd is None
    assert Totals.model_validate_json(Totals().model_dump_json()) == Totals()


def test_cents_stay_exact() -> None:
    totals = Totals()
    for _ in range(1000):
        totals = totals.plus(Usage(), Cost(usd=Decimal("0.0001"), source="list"))
    assert totals.usd == Decimal("0.1")


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [("0.1", "0.2", Decimal("0.3")), ("0.1", None, None), (None, "0.2", None), ("0.1", "0", Decimal("0.1"))],
)
def test_costs_of_one_completion(first: str | None, second: str | None, both: Decimal | None) -> None:
    costs = [Cost(usd=Decimal(usd) if usd else None, source="list") for usd in (first, second)]
    assert costs[0].plus(costs[1]).usd == both
