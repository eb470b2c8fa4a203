"""What is set aside for a call: its price at the address where it will be asked, or a refusal."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from llmflow.activities._budget import reservation
from llmflow.errors import BudgetExceeded
from llmflow.providers.pricing import Prices
from llmflow.stores.calls import ANSWERED, Call, CallId
from llmflow.types.budgets import Budget
from llmflow.types.messages import Message
from llmflow.types.models import ModelOptions, ModelRequest
from llmflow.types.origins import Origin
from llmflow.types.prompts import PromptRef, PromptSource

PRICES = Prices(
    addresses={"cheapo": "https://api.deepseek.com/v1", "gateway": "http://gateway.corp.test/v1", "any": None}
)


def reserved(model: str, budget: Budget) -> Decimal | None:
    call = Call(
        id=CallId(workflow_id="w", run_id="r", workflow_type="t", activity_id="a", attempt=1),
        request_hash="h",
        prompt=PromptRef(name="a/b", version="0" * 12),
        source=PromptSource(label="production"),
        origin=Origin(),
        model_asked=model,
        at=datetime(2026, 11, 20, tzinfo=UTC),
        outcome=ANSWERED,
    )
    asked = ModelRequest(
        model=model.partition(":")[2],
        messages=(Message.user("x" * 400),),
        options=ModelOptions(max_output_tokens=1000),
        timeout=60,
    )
    wanted = reservation(call, asked, budget, PRICES)
    return wanted.usd if wanted else None


@pytest.mark.parametrize("model", ["cheapo:deepseek-chat", "any:anthropic/claude-sonnet-4-5"])
def test_a_model_is_known_by_where_it_is_asked(model: str) -> None:
    assert reserved(model, Budget(usd=Decimal(1)))


def test_a_model_that_will_have_no_price_is_refused_though_its_name_sounds_like_one_that_has() -> None:
    with pytest.raises(BudgetExceeded, match="gateway:anthropic/claude-sonnet-4-5 has no known price"):
        reserved("gateway:anthropic/claude-sonnet-4-5", Budget(usd=Decimal(1)))
    assert reserved("gateway:anthropic/claude-sonnet-4-5", Budget(usd=Decimal(1), unpriced="allow")) is None
