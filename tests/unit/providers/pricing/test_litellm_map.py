"""litellm's map: read exactly, for the vendor that was asked, and only where it says all that the call needs."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import pytest

from llmflow.providers.pricing.billing import PaidCall
from llmflow.providers.pricing.litellm_map import map_cost
from llmflow.types.usage import Cost, Usage

NOW = datetime(2026, 11, 20, tzinfo=UTC)

LONG = {"input_cost_per_token_above_200k_tokens": 2e-06, "output_cost_per_token_above_200k_tokens": 8e-06}
SOL = {
    "litellm_provider": "openai",
    "input_cost_per_token": 1e-06,
    "output_cost_per_token": 4e-06,
    "cache_read_input_token_cost": 1e-07,
    "cache_creation_input_token_cost": 1.25e-06,
    "cache_creation_input_token_cost_above_1hr": 2e-06,
    "output_cost_per_reasoning_token": 4e-06,
    "input_cost_per_audio_token": 1e-05,
    "output_cost_per_audio_token": 2e-05,
    "input_cost_per_token_batches": 5e-07,
    "output_cost_per_token_batches": 2e-06,
    "cache_read_input_token_cost_batches": 5e-08,
    "input_cost_per_token_priority": 2e-06,
    "output_cost_per_token_priority": 8e-06,
    "input_cost_per_token_flex": 5e-07,
}
ENTRIES: dict[str, dict[str, Any]] = {
    "sol": SOL,
    "azure/sol": {**SOL, "litellm_provider": "azure", "input_cost_per_token": 3e-06},
    "long": {**SOL, **LONG, "cache_read_input_token_cost_above_200k_tokens": 2e-07},
    "anthropic.claude": {**SOL, "litellm_provider": "bedrock_converse"},
    "text": {"litellm_provider": "openai", "input_cost_per_token": "2.5e-07", "output_cost_per_token": "1e-06"},
    "ollama/llama3": {"litellm_provider": "ollama", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
    "image": {"litellm_provider": "openai", "output_cost_per_image": 0.04},
    "night": {**SOL, "off_peak_pricing": {"input_cost_per_token": 1e-09}},
    "steps": {**SOL, "tiered_pricing": [{"range": [0, 1000]}]},
}


def cost(
    asked: str,
    answered: str | None = None,
    *,
    tier: str | None = None,
    url: str | None = None,
    **parts: Any,
) -> Cost:
    usage = Usage(**(parts or {"input_tokens": 1000, "output_tokens": 100}))
    name = answered or asked.partition(":")[2]
    call = PaidCall(asked=asked, answered=name, usage=usage, at=NOW, tier=tier, base_url=url)
    return map_cost(call, ENTRIES, "litellm 1")


@pytest.mark.parametrize(
    ("parts", "usd"),
    [
        ({"input_tokens": 1000, "output_tokens": 100}, "0.0014"),
        ({"input_tokens": 1000, "cache_read_tokens": 1000}, "0.0001"),
        ({"input_tokens": 1000, "cache_read_tokens": 500, "cache_write_tokens": 400}, "0.00065"),
        ({"input_tokens": 1000, "input_audio_tokens": 1000}, "0.01"),
        ({"output_tokens": 100, "reasoning_tokens": 60}, "0.0004"),
        ({"output_tokens": 100, "output_audio_tokens": 100}, "0.002"),
        ({"input_tokens": 1000, "cache_write_tokens": 400, "cache_write_1h_tokens": 400}, "0.0014"),
    ],
)
def test_parts(parts: dict[str, Any], usd: str) -> None:
    assert cost("openai:sol", **parts) == Cost(usd=Decimal(usd), source="litellm 1")


def test_numbers_are_as_written() -> None:
    assert cost("openai:text", input_tokens=1).usd == Decimal("0.00000025")


@pytest.mark.parametrize(
    ("asked", "answered", "matched", "usd"),
    [
        ("openai:sol", "sol", None, "0.0014"),
        ("openai:mine", "sol", None, "0.0014"),
        ("openai:openai/sol", "sol-2026-09-29", "sol", "0.0014"),
        ("openai:sol", "sol-2026-09-29", "sol", "0.0014"),
        ("azure:sol", "sol", "azure/sol", "0.0034"),
        ("any:azure/sol", "sol", "azure/sol", "0.0034"),
        ("any:openai/sol", "sol", None, "0.0014"),
        ("bedrock:anthropic.claude", "anthropic.claude", None, "0.0014"),
        ("any:bedrock/anthropic.claude", "claude", "anthropic.claude", "0.0014"),
    ],
)
def test_which_entry(asked: str, answered: str, matched: str | None, usd: str) -> None:
    found = cost(asked, answered)
    assert (found.matched, found.usd) == (matched, Decimal(usd))


@pytest.mark.parametrize(
    ("asked", "url"),
    [
        ("groq:sol", None),  # another vendor's
        ("groq:anthropic.claude", None),
        ("local:openai/sol", "http://localhost:8000/v1"),  # the address is known, and not OpenAI's
        ("openai:luna", None),
    ],
)
def test_no_entry(asked: str, url: str | None) -> None:
    with pytest.raises(LookupError, match="litellm 1 does not know"):
        cost(asked, url=url)


def test_tiers() -> None:
    assert cost("openai:sol", tier="batch") == Cost(usd=Decimal("0.0007"), source="litellm 1", tier="batch")
    assert cost("openai:sol", tier="batch", input_tokens=1000, cache_read_tokens=1000).usd == Decimal("0.00005")
    assert cost("openai:sol", tier="priority", output_tokens=100, reasoning_tokens=60).usd == Decimal("0.0008")


def test_long_inputs_have_a_price_of_their_own() -> None:
    assert cost("openai:long", input_tokens=200_000).usd == Decimal("0.2")
    assert cost("openai:long", input_tokens=200_001, output_tokens=100).usd == Decimal("0.400802")
    assert cost("openai:long", input_tokens=300_000, cache_read_tokens=300_000).usd == Decimal("0.06")


@pytest.mark.parametrize(
    ("asked", "parts", "tier", "said"),
    [
        ("openai:sol", {"input_tokens": 1}, "ultrafast", "tier 'ultrafast': no `input_cost_per_token_ultrafast`"),
        ("openai:sol", {"input_tokens": 1}, "flex", "tier 'flex': no `output_cost_per_token_flex`"),
        (
            "openai:sol",
            {"input_tokens": 9, "cache_read_tokens": 9},
            "priority",
            "tier 'priority': no `cache_read_input_token_cost_priority`",
        ),
        ("openai:long", {"input_tokens": 300_000}, "priority", "no `input_cost_per_token_above_200k_tokens_priority`"),
        ("openai:image", {"input_tokens": 1}, None, "no `input_cost_per_token`"),
        ("ollama:llama3", {"input_tokens": 1}, None, "0 there may mean unknown"),
        ("openai:night", {"input_tokens": 1}, None, "depends on the hour"),
        ("openai:steps", {"input_tokens": 1}, None, "on steps"),
        ("openai:sol", {"input_tokens": 1, "cache_read_tokens": 2}, None, "cannot exceed input_tokens"),
        ("openai:text", {"input_tokens": 9, "cache_read_tokens": 2}, None, "no `cache_read_input_token_cost`"),
        ("openai:sol", {"output_tokens": 9, "output_image_tokens": 2}, None, "no `output_cost_per_image_token`"),
        ("openai:sol", {"input_tokens": 1, "web_searches": 2}, None, "not used for web_searches"),
        ("openai:sol", {"input_tokens": 1, "unread": {"usage.x": 2}}, None, "not used for usage.x"),
    ],
)
def test_what_the_map_does_not_say_is_unknown(asked: str, parts: dict[str, Any], tier: str | None, said: str) -> None:
    with pytest.raises(LookupError) as failed:
        cost(asked, tier=tier, **parts)
    assert str(failed.value).startswith("litellm 1 has no price of ")
    assert said in str(failed.value)


def test_reading_the_map_does_not_load_litellm() -> None:
    """In a process of its own: another test may have loaded it here."""
    code = """if True:
        import sys
        from datetime import UTC, datetime
        from llmflow.providers.pricing.billing import PaidCall
        from llmflow.providers.pricing.litellm_map import litellm_cost
        from llmflow.providers.pricing.prices import warm_prices
        from llmflow.types.usage import Usage
        warm_prices()
        call = PaidCall(asked="groq:x", answered="x", usage=Usage(input_tokens=1), at=datetime.now(UTC))
        try:
            litellm_cost(call)
        except LookupError as error:
            assert "does not know groq:x" in str(error)
        else:
            raise AssertionError
        assert "litellm" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", code], check=True)


REAL = """if True:
    import json, os
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    from datetime import UTC, datetime
    from litellm import completion_cost
    from litellm.types.utils import ModelResponse, Usage as Used
    from llmflow.providers.pricing.billing import PaidCall
    from llmflow.providers.pricing.litellm_map import litellm_cost
    from llmflow.providers.pricing.prices import Prices
    from llmflow.types.usage import Usage

    def call(name, tier=None, **parts):
        usage = Usage(input_tokens=1000, output_tokens=100, **parts)
        answered = name.partition("/")[2]
        return PaidCall(asked=f"any:{name}", answered=answered, usage=usage, at=datetime.now(UTC), tier=tier)

    def theirs(name, cached, reasoning):
        usage = Used(
            prompt_tokens=1000, completion_tokens=100, total_tokens=1100,
            prompt_tokens_details={"cached_tokens": cached}, completion_tokens_details={"reasoning_tokens": reasoning},
        )
        return completion_cost(ModelResponse(model=name, usage=usage), model=name)

    models = ("openai/gpt-5.4", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash", "azure/gpt-5",
              "mistral/mistral-large-latest", "groq/openai/gpt-oss-20b")
    pairs = [
        [str(litellm_cost(call(name, cache_read_tokens=cached, reasoning_tokens=reasoning)).usd),
         theirs(name, cached, reasoning)]
        for name in models
        for cached, reasoning in ((0, 0), (600, 0), (0, 40))
    ]
    chosen = [Prices().look_up(call("azure/gpt-5", tier)).source for tier in (None, "batch")]
    print(json.dumps([pairs, chosen]))
"""


def test_it_is_what_litellm_itself_computes_and_asked_last() -> None:
    done = subprocess.run([sys.executable, "-c", REAL], check=True, capture_output=True, text=True)
    pairs, [standard, batch] = json.loads(done.stdout.splitlines()[-1])
    assert len(pairs) == 18
    for ours, theirs in pairs:
        assert float(ours) == pytest.approx(theirs, rel=1e-9)
    assert standard.startswith("genai-prices ")
    assert batch == f"litellm {version('litellm')}"  # genai-prices has no tiers of Azure's
