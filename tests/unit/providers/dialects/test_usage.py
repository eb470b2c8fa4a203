"""Token counts of many vendors, in one form."""

from decimal import Decimal
from typing import Any

import pytest

from llmflow.providers.dialects.usage import VendorUsage
from llmflow.types.usage import Usage

OPENAI_RESPONSES = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100},
    "output_tokens": 50,
    "output_tokens_details": {"reasoning_tokens": 30},
    "total_tokens": 1050,
}
OPENAI_CHAT = {
    "prompt_tokens": 1000,
    "prompt_tokens_details": {"cached_tokens": 600, "audio_tokens": 5, "cache_write_tokens": None},
    "completion_tokens": 50,
    "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 7, "accepted_prediction_tokens": 1},
    "total_tokens": 1050,
}
XAI = {  # reasoning beside the completion, not in it
    "prompt_tokens": 32,
    "completion_tokens": 9,
    "completion_tokens_details": {"reasoning_tokens": 232},
    "total_tokens": 273,
}
OLLAMA = {"prompt_tokens": 26, "completion_tokens": 298, "total_tokens": 324}
ODD = {
    "prompt_tokens": None,
    "completion_tokens": "many",
    "total_tokens": -4,
    "prompt_tokens_details": None,
    "completion_tokens_details": [],
    "cost": "free",
}


@pytest.mark.parametrize(
    ("vendor", "ours"),
    [
        (
            OPENAI_RESPONSES,
            Usage(
                input_tokens=1000, output_tokens=50, cache_read_tokens=600, cache_write_tokens=100, reasoning_tokens=30
            ),
        ),
        (
            OPENAI_CHAT,
            Usage(
                input_tokens=1000,
                output_tokens=50,
                cache_read_tokens=600,
                reasoning_tokens=30,
                input_audio_tokens=5,
                output_audio_tokens=7,
            ),
        ),
        (XAI, Usage(input_tokens=32, output_tokens=241, reasoning_tokens=232)),
        (OLLAMA, Usage(input_tokens=26, output_tokens=298)),
        (ODD, Usage()),
        ({}, Usage()),
    ],
)
def test_counts(vendor: dict[str, Any], ours: Usage) -> None:
    assert VendorUsage.model_validate(vendor).normal == ours


@pytest.mark.parametrize(
    ("details", "hour"),
    [
        ({"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}, 70),
        ({"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": None}, 0),
        (None, 0),
    ],
)
def test_what_stays_in_the_cache_for_an_hour(details: object, hour: int) -> None:
    written = {"cache_write_tokens": 100, "cache_creation_token_details": details}
    assert VendorUsage.model_validate({"prompt_tokens_details": written}).read.writes.one_hour == hour


@pytest.mark.parametrize(
    ("vendor", "usd"),
    [
        ({"cost": 0.0000015}, Decimal("0.0000015")),
        ({"cost": 0}, Decimal(0)),
        ({"cost": {"input_tokens_cost": 0.001, "total_cost": 0.006}}, Decimal("0.006")),
        ({"cost": {"currency": "EUR"}}, None),
        ({"cost": -1}, None),
        ({"cost": "0.1"}, None),
        ({"cost": True}, None),
        ({"cost": 0.001, "is_byok": True}, None),
        ({}, None),
    ],
)
def test_what_the_vendor_says_it_cost(vendor: dict[str, Any], usd: Decimal | None) -> None:
    assert VendorUsage.model_validate(vendor).reported_usd == usd
