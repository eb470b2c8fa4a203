"""Reservations of calls before they are made."""

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import JsonValue

from llmflow.activities.budgets import reservation
from llmflow.errors import BudgetExceeded
from llmflow.providers.pricing.price_list import load_price_list
from llmflow.providers.pricing.prices import Prices
from llmflow.types.budgets import Budget
from llmflow.types.messages import Message
from llmflow.types.models import ModelOptions, ModelRequest, OutputSchema
from llmflow.types.tools import ToolSpec
from tests.helpers.calls import a_call

SCHEMA: dict[str, JsonValue] = {"type": "object", "description": "x" * 4000}
PLAIN = ModelRequest(model="gpt-5.4", messages=(Message.user("x" * 4000),), options=ModelOptions(max_output_tokens=100))


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    path = tmp_path / "prices.yaml"
    path.write_text('"openai:gpt-5.4": {input: 1000000, output: 0}\n')  # a dollar for a token of input
    return Prices(load_price_list(path))


@pytest.mark.parametrize(
    ("told", "tokens"),
    [
        ({}, 1000),
        ({"tools": (ToolSpec(name="find", description="", json_schema=SCHEMA),)}, 2000),
        ({"output": OutputSchema(name="plan", json_schema=SCHEMA)}, 2000),
    ],
)
def test_tools_and_the_schema_of_the_answer_are_input_too(prices: Prices, told: dict[str, object], tokens: int) -> None:
    wanted = reservation(a_call(), PLAIN.model_copy(update=told), Budget(usd=Decimal(1)), prices)
    assert wanted is not None
    assert tokens <= wanted.usd <= tokens + 50


AT = Prices(addresses={"cheapo": "https://api.deepseek.com/v1", "gateway": "http://gateway.corp.test/v1", "any": None})
"""Base URLs of the providers."""


@pytest.mark.parametrize("model", ["cheapo:deepseek-chat", "any:anthropic/claude-sonnet-4-5"])
def test_a_model_is_known_by_where_it_is_asked(model: str) -> None:
    wanted = reservation(a_call(model_asked=model), PLAIN, Budget(usd=Decimal(1)), AT)
    assert wanted is not None
    assert wanted.usd


def test_a_model_that_will_have_no_price_is_refused_though_its_name_sounds_like_one_that_has() -> None:
    call = a_call(model_asked="gateway:anthropic/claude-sonnet-4-5")
    with pytest.raises(BudgetExceeded, match="gateway:anthropic/claude-sonnet-4-5 has no known price"):
        reservation(call, PLAIN, Budget(usd=Decimal(1)), AT)
    assert reservation(call, PLAIN, Budget(usd=Decimal(1), unpriced="allow"), AT).usd == 0
