"""Reservations of calls before they are made."""

from decimal import Decimal

import pytest

from llmflow.activities.budgets import reservation
from llmflow.errors import BudgetExceeded
from llmflow.providers.pricing.prices import Prices
from llmflow.types.budgets import Budget
from llmflow.types.messages import Message
from llmflow.types.models import ModelOptions, ModelRequest
from tests.helpers.calls import a_call

PLAIN = ModelRequest(model="gpt-5.4", messages=(Message.user("x" * 4000),), options=ModelOptions(max_output_tokens=100))
STRICT, LAX = Budget(usd=Decimal(1)), Budget(usd=Decimal(1), unpriced="allow")
AT = Prices(addresses={"cheapo": "https://api.deepseek.com/v1", "gateway": "http://gateway.corp.test/v1", "any": None})
"""Base URLs of the providers."""


@pytest.mark.parametrize("model", ["cheapo:deepseek-chat", "any:anthropic/claude-sonnet-4-5"])
def test_a_model_is_known_by_where_it_is_asked(model: str) -> None:
    assert reservation(a_call(model_asked=model), PLAIN, STRICT, AT).usd


def test_a_model_that_will_have_no_price_is_refused_though_its_name_sounds_like_one_that_has() -> None:
    call = a_call(model_asked="gateway:anthropic/claude-sonnet-4-5")
    with pytest.raises(BudgetExceeded, match="gateway:anthropic/claude-sonnet-4-5 has no known price"):
        reservation(call, PLAIN, STRICT, AT)
    assert reservation(call, PLAIN, LAX, AT).usd == 0


def test_a_field_that_may_cost_any_amount_is_refused() -> None:
    asked = PLAIN.model_copy(update={"options": ModelOptions(extra={"tools": [{"type": "web_search"}]})})
    with pytest.raises(
        BudgetExceeded, match=r"`extra\.tools` of a call of openai:gpt-5\.4 may cost any amount"
    ) as refused:
        reservation(a_call(), asked, STRICT, AT)
    assert refused.value.detail.field == "extra.tools"
    assert reservation(a_call(), asked, LAX, AT).usd
