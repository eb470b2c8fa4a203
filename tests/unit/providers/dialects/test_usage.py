"""Token counts of many vendors, in one form. What they cost is in `tests/vendors`."""

from decimal import Decimal
from typing import Any

import pytest

from llmflow.providers.dialects.usage.merging import merged
from llmflow.providers.dialects.usage.reader import Tiers, read_usage
from llmflow.providers.dialects.usage.tools import items_run, said_run
from llmflow.types.usage import Usage

Counts = dict[str, Any]  # Any: whatever a vendor writes

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
ODD = {
    "prompt_tokens": None,
    "completion_tokens": "many",
    "total_tokens": 0,
    "prompt_tokens_details": None,
    "completion_tokens_details": [],
    "cost": "free",
}


def counts(vendor: Counts, model: str = "m", base_url: str | None = None) -> Usage:
    return read_usage(vendor, model=model, base_url=base_url).usage


@pytest.mark.parametrize(
    ("vendor", "ours"),
    [
        (
            OPENAI_RESPONSES,
            {"input_tokens": 1000, "output_tokens": 50, "cache_read_tokens": 600, "cache_write_tokens": 100}
            | {"reasoning_tokens": 30},
        ),
        (
            OPENAI_CHAT,
            {"input_tokens": 1000, "output_tokens": 50, "cache_read_tokens": 600, "reasoning_tokens": 30}
            | {"input_audio_tokens": 5, "output_audio_tokens": 7},
        ),
        (
            {"prompt_tokens": 26, "completion_tokens": 298, "total_tokens": 324},
            {"input_tokens": 26, "output_tokens": 298},
        ),
        ({"prompt_tokens": "26", "completion_tokens": "2"}, {"input_tokens": 26, "output_tokens": 2}),
        (ODD, {}),
        ({}, {}),
        ({"prompt_tokens": 5, "total_tokens": -4}, {}),
    ],
)
def test_counts(vendor: Counts, ours: Counts) -> None:
    assert counts(vendor) == Usage(**ours)


@pytest.mark.parametrize("usage", [None, [], "1000", 7, True])
def test_no_usage(usage: object) -> None:
    assert read_usage(usage, model="m").usage == Usage()


@pytest.mark.parametrize(
    ("cached", "written"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 60}}, 0),
        ({"prompt_tokens_details": {"cached_tokens": 0}, "cached_tokens": 60}, 0),
        ({"prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40}, 0),
        ({"num_cached_tokens": 60}, 0),
        ({"cached_prompt_text_tokens": 60}, 0),
        ({"cache_read_input_tokens": 60, "cache_creation_input_tokens": 30}, 30),
        ({"prompt_tokens_details": {"cached_tokens": 60, "cache_creation_tokens": 30}}, 30),
        ({"prompt_tokens_details": {"cached_tokens": 60, "cache_creation_input_tokens": 30}}, 30),
    ],
)
def test_where_the_cache_is_said(cached: Counts, written: int) -> None:
    read = counts({"prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101, **cached})
    assert (read.input_tokens, read.cache_read_tokens, read.cache_write_tokens) == (100, 60, written)
    assert not read.unread


@pytest.mark.parametrize("total", [{}, {"total_tokens": 191}])
def test_anthropic_counts_the_cache_beside_its_input(total: Counts) -> None:
    writes = {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}
    vendor = {"input_tokens": 100, "cache_read_input_tokens": 60, "cache_creation": writes, "output_tokens": 1, **total}
    assert counts(vendor) == Usage(
        input_tokens=190, output_tokens=1, cache_read_tokens=60, cache_write_tokens=30, cache_write_1h_tokens=20
    )


@pytest.mark.parametrize(
    ("vendor", "where", "output", "reasoning"),
    [
        ({"total_tokens": 273, "completion_tokens_details": {"reasoning_tokens": 232}}, {}, 241, 232),  # xAI
        ({"total_tokens": 273}, {"base_url": "https://generativelanguage.googleapis.com/v1beta/openai"}, 241, 232),
        ({"total_tokens": 273}, {"model": "google/gemini-3.8-flash"}, 241, 232),
        ({"total_tokens": 41, "completion_tokens_details": {"reasoning_tokens": 9}}, {}, 9, 9),
    ],
)
def test_what_only_the_sum_shows(vendor: Counts, where: dict[str, str], output: int, reasoning: int) -> None:
    read = counts({"prompt_tokens": 32, "completion_tokens": 9, **vendor}, **where)
    assert (read.output_tokens, read.reasoning_tokens, read.unread) == (output, reasoning, {})


@pytest.mark.parametrize(
    ("vendor", "unread"),
    [
        ({"total_tokens": 100}, {"usage.total_tokens beyond its parts": 59}),
        (
            {"completion_tokens_details": {"reasoning_tokens": 20}},
            {"usage.reasoning_tokens beyond the output": 11},
        ),
        ({"server_tool_use": {"code_execution_requests": 2}}, {"usage.server_tool_use.code_execution_requests": 2}),
        (
            {"prompt_tokens_details": {"cache_write_tokens_details": {"ttl_12h_tokens": 7}}},
            {"usage.prompt_tokens_details.cache_write_tokens_details.ttl_12h_tokens": 7},
        ),
        ({"iterations": [{"input_tokens": 5}, {"input_tokens": 0}]}, {"usage.iterations[].input_tokens": 5}),
        ({"seconds": 1.5}, {"usage.seconds": 1.5}),
        ({"prompt_tokens_details": {"cache_type": "ephemeral"}}, {"prompt_tokens_details.cache_type=ephemeral": 1}),
        ({"cost": 0.001, "is_byok": True}, {"cost without its upstream_inference_cost": 1}),
        ({"queue_time": 0.5, "total_latency": 0.1, "flag": True, "word": "low", "zero": 0}, {}),
    ],
)
def test_what_is_not_understood_is_kept(vendor: Counts, unread: Counts) -> None:
    assert counts({"prompt_tokens": 32, "completion_tokens": 9, **vendor}).unread == unread


def test_parts_never_exceed_their_whole() -> None:
    details = {"cached_tokens": 500, "cache_write_tokens": 9, "audio_tokens": 900}
    read = counts({"prompt_tokens": 100, "prompt_tokens_details": details, "completion_tokens": 1})
    assert (read.cache_read_tokens, read.cache_write_tokens, read.input_audio_tokens) == (100, 0, 100)


def test_chunks_are_merged() -> None:
    first = {"prompt_tokens": 100_000, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 7}}
    last = {"completion_tokens": 50, "prompt_tokens": 0, "prompt_tokens_details": None, "cost": 0.5}
    assert merged(merged(None, first), last) == {**first, "completion_tokens": 50, "cost": 0.5}
    assert merged(first, None) == first
    assert merged({"a": {"b": 1}}, {"a": {"c": 2}}) == {"a": {"b": 1, "c": 2}}
    assert merged({"a": 1}, {"a": "x"}) == {"a": "x"}
    assert merged(first, []) == first, "of an odd last chunk"


@pytest.mark.parametrize(
    "odd",
    [
        {"iterations": [{"type": ["message"]}]},
        {"speed": "fast", "service_tier": {"name": "x"}},
        {"cost": {"total_cost": 1, "currency": {"code": "USD"}}},
    ],
)
def test_an_odd_usage_loses_no_answer(odd: Counts) -> None:
    assert counts({"prompt_tokens": 5, "completion_tokens": 2, **odd}).input_tokens == 5


def test_tools_of_the_vendor() -> None:
    items = [
        {"type": "reasoning"},
        {"type": "web_search_call", "status": "completed", "action": {"type": "search"}},
        {"type": "web_search_call", "status": "completed", "action": {"type": "open_page"}},
        {"type": "web_search_call", "status": "failed"},
        {"type": "file_search_call", "status": "completed"},
        {"type": "code_interpreter_call"},
        {"type": "telepathy_call"},
        {"type": "mcp_call"},
    ]
    run = {"web_searches": 1, "file_searches": 1, "code_interpreter_call": 1, "telepathy_call": 1}
    assert items_run(items, [{"type": "web_search"}]) == run
    assert items_run(items[1:2], [{"type": "web_search_preview_2025_03_11"}]) == {"web_search_preview": 1}
    assert items_run(items[1:2], None) == {"web_searches": 1}
    read = read_usage(OPENAI_RESPONSES, run, model="m").usage
    assert (read.web_searches, read.file_searches) == (1, 1)
    assert read.unread == {"code_interpreter_call": 1, "telepathy_call": 1}


def test_signs_of_tools_in_chat_completions() -> None:
    assert said_run({"annotations": [], "executed_tools": None}, "gpt-5.4") == {}
    assert said_run({"annotations": [{"type": "url_citation"}]}, "gpt-5.4") == {"annotations": 1}
    assert said_run({}, "gpt-4o-search-preview-2025-03-11") == {"a search in every request": 1}


@pytest.mark.parametrize(
    ("usage", "asked", "answered", "tier"),
    [
        ({}, None, None, None),
        ({}, None, "flex", "flex"),
        ({}, "flex", "default", "default"),
        ({"service_tier": "priority"}, None, None, "priority"),
        ({"service_tier": "standard", "speed": "fast"}, None, None, "fast"),
        ({"service_tier": "batch", "speed": "fast"}, None, None, "batch, fast"),
        ({"speed": "standard"}, "auto", None, None),
    ],
)
def test_tiers(usage: Counts, asked: str | None, answered: str | None, tier: str | None) -> None:
    read = read_usage({**OPENAI_CHAT, **usage}, {}, Tiers(asked=asked, answered=answered), model="m")
    assert (read.service_tier, read.usage.unread) == (tier, {})


def test_a_tier_that_was_asked_for_and_not_answered_is_not_the_standard_one() -> None:
    read = read_usage(OPENAI_CHAT, {}, Tiers(asked="flex"), model="m")
    assert read.usage.unread == {"service_tier=flex, which was asked for and not answered": 1}


@pytest.mark.parametrize(
    ("geo", "region"), [("us", "us"), ("global", None), ("not_available", None), ("", None), (None, None), (7, None)]
)
def test_the_region_that_an_answer_names(geo: object, region: str | None) -> None:
    assert read_usage({**OPENAI_CHAT, "inference_geo": geo}, model="m").region == region


@pytest.mark.parametrize(
    ("vendor", "usd"),
    [
        ({"cost": 0.0000015}, "0.0000015"),
        ({"cost": "0.0000015"}, "0.0000015"),
        ({"cost": 0}, "0"),
        ({"cost": {"input_tokens_cost": 0.001, "total_cost": 0.006}}, "0.006"),
        ({"cost": {"total_cost": 0.006, "currency": "USD"}}, "0.006"),
        ({"cost": {"total_cost": 0.006, "currency": "EUR"}}, None),
        ({"cost": -1}, None),
        ({"cost": True}, None),
        ({"cost": "much"}, None),
        ({"cost": 0.95, "is_byok": True, "cost_details": {"upstream_inference_cost": 19}}, "19.95"),
        ({"cost": 0.95, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.95}}, "0.95"),
        ({"cost": 0.95, "cost_details": {"upstream_inference_cost": 19}}, "19.95"),
        ({"cost": 0.95, "cost_details": {"upstream_inference_cost": 0.9}}, "0.95"),
        ({"cost": 0.001, "is_byok": True}, None),
        ({"cost_in_usd_ticks": 37_756_000}, "0.0037756"),
        ({"estimated_cost": 0.00012}, "0.00012"),
        ({}, None),
    ],
)
def test_what_the_vendor_says_it_cost(vendor: Counts, usd: str | None) -> None:
    assert read_usage(vendor, model="m").reported_usd == (None if usd is None else Decimal(usd))
