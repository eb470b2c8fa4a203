"""OpenAI: tokens, names and streams. Prices of November 2026, by its page "Pricing"."""

from datetime import UTC, datetime
from decimal import Decimal

from .row import chat, per_million, responses, rule

PRICING = "developers.openai.com, Pricing"
SDK = "openai SDK 3.52, types/completion_usage.py and types/responses/response_usage.py"
OLD = datetime(2025, 6, 1, tzinfo=UTC)


TOKENS = rule(
    "Input, cached input and output each have a price; cached tokens are part of the prompt, reasoning of the output",
    f"{PRICING}; {SDK}",
    {"asked": "openai:gpt-5.4"},
    {"name": "plain", "usage": chat(1000, 100), "usd": per_million((1000, "2.5"), (100, "15"))},
    {
        "name": "cached",
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": 600}),
        "usd": per_million((400, "2.5"), (600, "0.25"), (100, "15")),
    },
    {
        "name": "all cached",
        "usage": chat(1024, 1, prompt_tokens_details={"cached_tokens": 1024}),
        "usd": per_million((1024, "0.25"), (1, "15")),
    },
    {
        "name": "reasoning in the completion",
        "usage": chat(1000, 500, completion_tokens_details={"reasoning_tokens": 450}),
        "usd": per_million((1000, "2.5"), (500, "15")),
    },
    {
        "name": "responses",
        "api": "responses",
        "usage": responses(2000, 300, cached=1500, thought=200),
        "usd": per_million((500, "2.5"), (1500, "0.25"), (300, "15")),
    },
    {
        "name": "predicted tokens are part of the completion, rejected ones included",
        "usage": chat(
            100, 80, completion_tokens_details={"accepted_prediction_tokens": 40, "rejected_prediction_tokens": 30}
        ),
        "usd": per_million((100, "2.5"), (80, "15")),
    },
    {
        "name": "texts are the rest",
        "usage": chat(
            100,
            80,
            prompt_tokens_details={"text_tokens": 100, "image_tokens": 0},
            completion_tokens_details={"text_tokens": 80},
        ),
        "usd": per_million((100, "2.5"), (80, "15")),
    },
    {
        "name": "images are tokens of the prompt, at its price",
        "usage": chat(1200, 80, prompt_tokens_details={"image_tokens": 1100, "text_tokens": 100}),
        "usd": per_million((1200, "2.5"), (80, "15")),
    },
    {
        "name": "a dated name",
        "answered": "gpt-5.4-2026-03-05",
        "usage": chat(1000, 100),
        "usd": per_million((1000, "2.5"), (100, "15")),
    },
    {"name": "details that are null", "usage": chat(10, 1, prompt_tokens_details=None), "usd": Decimal("0.00004")},
    {"name": "no usage", "usage": None, "usd": None, "unknown": "the vendor reported no usage"},
    {"name": "zeros", "usage": chat(0, 0), "usd": None, "unknown": "the vendor reported no usage"},
    {
        "name": "a new field of the details",
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": 0, "holographic_tokens": 5}),
        "usd": None,
        "unknown": "usage.prompt_tokens_details.holographic_tokens = 5",
    },
    {
        "name": "a new field of the usage",
        "api": "responses",
        "usage": responses(1000, 100, sandbox_seconds=12.5),
        "usd": None,
        "unknown": "usage.sandbox_seconds = 12.5",
    },
    {
        "name": "a sum far beyond its parts",
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1600},
        "usd": None,
        "unknown": "usage.total_tokens beyond its parts = 500",
    },
    {
        "name": "an impossible count",
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": -5}),
        "usd": None,
        "unknown": "no usage",
    },
)

CONTEXT = rule(
    "Above 272,000 input tokens the whole request costs twice for input and 1.5 times for output",
    "developers.openai.com, models gpt-5.4 and gpt-5.6-luna",
    {},
    {
        "name": "at the step",
        "asked": "openai:gpt-5.4",
        "usage": chat(272_000, 1000),
        "usd": per_million((272_000, "2.5"), (1000, "15")),
    },
    {
        "name": "above it",
        "asked": "openai:gpt-5.4",
        "usage": chat(272_001, 1000),
        "usd": per_million((272_001, "5"), (1000, "22.5")),
    },
    {
        "name": "above it and cached",
        "asked": "openai:gpt-5.6-luna",
        "usage": chat(300_000, 1000, prompt_tokens_details={"cached_tokens": 200_000}),
        "usd": per_million((100_000, "0.4"), (200_000, "0.04"), (1000, "1.8")),
    },
)

CACHE_WRITES = rule(
    "From gpt-5.6 on, cache writes cost 1.25 times the input; before, nothing more; 12 hours have their own price",
    f"{PRICING}; {SDK}",
    {},
    {
        "name": "gpt-6-luna",
        "asked": "openai:gpt-6-luna",
        "usage": chat(1000, 10, prompt_tokens_details={"cached_tokens": 300, "cache_write_tokens": 500}),
        "usd": per_million((200, "0.1"), (300, "0.01"), (500, "0.125"), (10, "0.5")),
    },
    {
        "name": "gpt-6.1-sol by responses",
        "asked": "openai:gpt-6.1-sol",
        "api": "responses",
        "usage": responses(1000, 10) | {"input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 800}},
        "usd": per_million((200, "2"), (800, "2.5"), (10, "10")),
    },
    {
        "name": "30 minutes",
        "asked": "openai:gpt-6-luna",
        "api": "responses",
        "usage": responses(1000, 10)
        | {
            "input_tokens_details": {
                "cached_tokens": 0,
                "cache_write_tokens": 800,
                "cache_write_tokens_details": {"ttl_30m_tokens": 800, "ttl_12h_tokens": 0},
            }
        },
        "usd": per_million((200, "0.1"), (800, "0.125"), (10, "0.5")),
    },
    {
        "name": "12 hours",
        "asked": "openai:gpt-6-luna",
        "api": "responses",
        "usage": responses(1000, 10)
        | {
            "input_tokens_details": {
                "cached_tokens": 0,
                "cache_write_tokens": 800,
                "cache_write_tokens_details": {"ttl_30m_tokens": 0, "ttl_12h_tokens": 800},
            }
        },
        "usd": None,
        "unknown": "cache_write_tokens_details.ttl_12h_tokens = 800",
    },
    {
        "name": "gpt-5.4 writes for nothing more",
        "asked": "openai:gpt-5.4",
        "usage": chat(1000, 10, prompt_tokens_details={"cache_write_tokens": 800}),
        "usd": per_million((1000, "2.5"), (10, "15")),
    },
)

SOUND = rule(
    "Sound has its own prices: 32 in and 64 out for gpt-audio",
    f"{PRICING}; {SDK}",
    {"asked": "openai:gpt-audio"},
    {
        "name": "heard and said",
        "usage": chat(
            1000, 500, prompt_tokens_details={"audio_tokens": 800}, completion_tokens_details={"audio_tokens": 400}
        ),
        "usd": per_million((200, "2.5"), (800, "32"), (100, "10"), (400, "64")),
    },
    {
        "name": "said by a model without such a price",
        "asked": "openai:gpt-5.4",
        "usage": chat(1000, 500, completion_tokens_details={"audio_tokens": 400}),
        "usd": None,
        "unknown": "for output_audio_tokens",
    },
    {
        "name": "cached, though the page has no price for it",
        "usage": chat(1000, 500, prompt_tokens_details={"audio_tokens": 800, "cached_tokens": 100}),
        "usd": None,
        "unknown": "for cache_read_tokens",
    },
)

NAMES = rule(
    "A price is that of the model which answered",
    PRICING,
    {"asked": "openai:gpt-5.4", "usage": chat(1000, 100)},
    {
        "name": "another known model",
        "answered": "gpt-5.4-mini",
        "usd": per_million((1000, "0.75"), (100, "4.5")),
    },
    {"name": "an unknown model", "answered": "gpt-99", "usd": None, "unknown": "does not know openai:gpt-99"},
    {
        "name": "an unknown variant",
        "answered": "gpt-5.4-ultra",
        "usd": None,
        "unknown": "does not know openai:gpt-5.4-ultra",
    },
    {
        "name": "a fine-tuned model",
        "asked": "openai:ft:gpt-4o-mini-2024-07-18:acme::abc",
        "usd": per_million((1000, "0.3"), (100, "1.2")),
    },
    {
        "name": "a fine-tuned model has cached input at half its own price",
        "asked": "openai:ft:gpt-4o-mini-2024-07-18:acme::abc",
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": 600}),
        "usd": per_million((400, "0.3"), (600, "0.15"), (100, "1.2")),
    },
    {"name": "before a price cut", "asked": "openai:o3", "at": OLD, "usd": per_million((1000, "10"), (100, "40"))},
    {
        "name": "behind a gateway of one's own",
        "url": "https://gateway.corp.test/v1",
        "usd": per_million((1000, "2.5"), (100, "15")),
    },
    {
        "name": "a server on this machine with OpenAI's model",
        "asked": "local:gpt-oss-20b",
        "url": "http://localhost:11434/v1",
        "usd": None,
        "unknown": "does not know local:gpt-oss-20b",
    },
)

STREAMS = rule(
    "Of a stream each chunk may have the usage so far, and the last may lack what an earlier one had",
    "docs of vLLM, continuous_usage_stats; OpenAI, stream_options.include_usage",
    {"asked": "openai:gpt-5.4", "usage": None},
    {
        "name": "only the last",
        "chunks": ({}, {"usage": chat(100_000, 50)}),
        "usd": per_million((100_000, "2.5"), (50, "15")),
    },
    {
        "name": "a last one without the prompt",
        "chunks": ({"usage": chat(120_000, 1)}, {"usage": {"completion_tokens": 50}}),
        "usd": per_million((120_000, "2.5"), (50, "15")),
    },
    {
        "name": "a last one of zeros",
        "chunks": ({"usage": chat(120_000, 50)}, {"usage": chat(0, 0)}),
        "usd": per_million((120_000, "2.5"), (50, "15")),
    },
    {
        "name": "sums so far",
        "chunks": tuple({"usage": chat(1000, written)} for written in (1, 20, 300)),
        "usd": per_million((1000, "2.5"), (300, "15")),
    },
    {
        "name": "details in an earlier one",
        "chunks": (
            {"usage": chat(1000, 1, prompt_tokens_details={"cached_tokens": 600})},
            {"usage": chat(1000, 300, prompt_tokens_details=None)},
        ),
        "usd": per_million((400, "2.5"), (600, "0.25"), (300, "15")),
    },
)

ROWS = (*TOKENS, *CONTEXT, *CACHE_WRITES, *SOUND, *NAMES, *STREAMS)
