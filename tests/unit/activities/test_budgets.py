"""The most that calls can cost, before they are made."""

import pytest

from llmflow.activities.budgets import ended, reservation, scopes_of
from llmflow.errors import AnswerLost, RateLimited
from llmflow.providers.pricing.bounds import limited
from llmflow.providers.pricing.prices import Prices
from llmflow.stores.ledger.rows import LOST
from llmflow.types.messages import Message
from llmflow.types.models import ModelOptions, ModelRequest
from llmflow.types.origins import Origin
from tests.helpers.calls import a_call

PLAIN = ModelRequest(model="gpt-5.4", messages=(Message.user("x" * 4000),), options=ModelOptions(max_output_tokens=100))
AT = Prices(addresses={"cheapo": "https://api.deepseek.com/v1", "gateway": "http://gateway.corp.test/v1", "any": None})
"""Base URLs of the providers."""


@pytest.mark.parametrize("model", ["cheapo:deepseek-chat", "any:anthropic/claude-sonnet-4-5"])
def test_a_model_is_known_by_where_it_is_asked(model: str) -> None:
    wanted = reservation(a_call(model_asked=model), PLAIN, AT)
    assert wanted.usd > wanted.least > 0
    assert wanted.unknown is None


def test_a_model_that_will_have_no_price_is_unknown_though_its_name_sounds_like_one_that_has() -> None:
    wanted = reservation(a_call(model_asked="gateway:anthropic/claude-sonnet-4-5"), PLAIN, AT)
    assert wanted.usd == 0
    assert "gateway:anthropic/claude-sonnet-4-5 has no known price" in str(wanted.unknown)


def test_a_field_that_may_cost_any_amount_is_named() -> None:
    asked = PLAIN.model_copy(update={"options": ModelOptions(extra={"tools": [{"type": "web_search"}]})})
    wanted = reservation(a_call(), limited(asked, "responses"), AT)
    assert wanted.usd > 0
    assert "openai:gpt-5.4: `extra.tools` may cost any amount" in str(wanted.unknown)


def test_a_call_without_an_answer_may_have_cost_its_input_or_all_of_it() -> None:
    call, most = a_call(), reservation(a_call(), PLAIN, AT)
    for outcome in (LOST, AnswerLost.__name__):
        lost = ended(call, outcome, PLAIN, AT)
        assert (lost.low_usd, lost.high_usd) == (most.least, most.usd)
    free = ended(call, RateLimited.__name__, PLAIN, AT)
    assert (free.low_usd, free.high_usd) == (None, None)
    unlimited = PLAIN.model_copy(update={"options": ModelOptions()})
    lost = ended(call, LOST, unlimited, AT)
    assert (lost.low_usd, lost.high_usd) == (most.least, None), "without a budget, no limit is sent"


def test_scopes_are_those_that_a_call_has() -> None:
    origin = Origin(tenant="acme", tags=("a", "b"))
    assert scopes_of(origin, "hello", None) == (("tenant", "acme"), ("app", "hello"), ("tag", "a"), ("tag", "b"))
    assert ("key", "OPENAI_API_KEY") in scopes_of(Origin(), "hello", "OPENAI_API_KEY")
