"""Anthropic as litellm converts its usage, and Claude on other clouds. Prices of November 2026."""

from decimal import Decimal

from .row import chat, each, per_million, rule

PAGE = "platform.claude.com, Pricing"
SONNET = {"asked": "claude:anthropic/claude-sonnet-4-5", "answered": "claude-sonnet-4-5-20250929"}

TOKENS = rule(
    "`input_tokens` excludes cache reads (0.1 times) and writes (1.25 times for 5 minutes, 2 times for an hour)",
    f"{PAGE}; Prompt caching",
    {"through": "anthropic", **SONNET},
    {
        "name": "plain",
        "usage": {"input_tokens": 1000, "output_tokens": 200},
        "usd": per_million((1000, "3"), (200, "15")),
    },
    {
        "name": "read and written",
        "usage": {
            "input_tokens": 10,
            "cache_read_input_tokens": 5000,
            "cache_creation_input_tokens": 2000,
            "output_tokens": 200,
        },
        "usd": per_million((10, "3"), (5000, "0.3"), (2000, "3.75"), (200, "15")),
    },
    {
        "name": "written for an hour",
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 2000,
            "cache_creation": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 1500},
            "output_tokens": 200,
        },
        "usd": per_million((10, "3"), (500, "3.75"), (1500, "6"), (200, "15")),
    },
    {
        "name": "thinking is output",
        "usage": {"input_tokens": 10, "output_tokens": 900, "output_tokens_details": {"thinking_tokens": 800}},
        "usd": per_million((10, "3"), (900, "15")),
    },
    {
        "name": "everything empty",
        "usage": {
            "input_tokens": 10,
            "output_tokens": 20,
            "cache_read_input_tokens": 0,
            "cache_creation_input_tokens": None,
            "server_tool_use": None,
            "service_tier": "standard",
            "inference_geo": "not_available",
        },
        "usd": per_million((10, "3"), (20, "15")),
    },
    {
        "name": "above 200,000 tokens",
        "usage": {"input_tokens": 1000, "cache_read_input_tokens": 249_000, "output_tokens": 100},
        "usd": per_million((1000, "6"), (249_000, "0.6"), (100, "22.5")),
    },
    {
        "name": "a flat million",
        "asked": "claude:anthropic/claude-opus-4-8",
        "answered": "claude-opus-4-8",
        "usage": {"input_tokens": 900_000, "output_tokens": 100},
        "usd": per_million((900_000, "5"), (100, "25")),
    },
)

SEARCHES = rule(
    "A web search costs $10 per 1,000; a web fetch nothing beside its tokens",
    f"{PAGE}, Web search tool, Web fetch tool",
    {"through": "anthropic", **SONNET},
    {
        "name": "two searches",
        "usage": {"input_tokens": 5000, "output_tokens": 300, "server_tool_use": {"web_search_requests": 2}},
        "usd": per_million((5000, "3"), (300, "15")) + each(2, "0.01"),
    },
    {
        "name": "a fetch",
        "usage": {
            "input_tokens": 5000,
            "output_tokens": 300,
            "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 3},
        },
        "usd": per_million((5000, "3"), (300, "15")),
    },
    {
        "name": "tools found by search",
        "usage": {"input_tokens": 5000, "output_tokens": 300, "server_tool_use": {"tool_search_requests": 1}},
        "usd": None,
        "unknown": "usage.server_tool_use.tool_search_requests = 1",
    },
    {
        "name": "code in a container",
        "usage": {"input_tokens": 5000, "output_tokens": 300},
        "message": {"provider_specific_fields": {"code_interpreter_results": [{"type": "code_interpreter_call"}]}},
        "usd": None,
        "unknown": "code_interpreter_results = 1",
    },
)

MODES = rule(
    "Fast mode costs its own price, `inference_geo: us` 1.1 times all tokens, batches half",
    f"{PAGE}, Fast mode pricing, Data residency pricing, Batch processing",
    {
        "through": "anthropic",
        "asked": "claude:anthropic/claude-opus-5",
        "answered": "claude-opus-5",
    },
    {
        "name": "fast",
        "usage": {"input_tokens": 1000, "output_tokens": 200, "speed": "fast"},
        "usd": per_million((1000, "10"), (200, "50")),
    },
    {
        "name": "fast and cached",
        "usage": {
            "input_tokens": 1000,
            "cache_read_input_tokens": 4000,
            "cache_creation_input_tokens": 1000,
            "output_tokens": 200,
            "speed": "fast",
        },
        "usd": per_million((1000, "10"), (4000, "1"), (1000, "12.5"), (200, "50")),
    },
    {
        "name": "not fast",
        "usage": {"input_tokens": 1000, "output_tokens": 200, "speed": "standard"},
        "usd": per_million((1000, "5"), (200, "25")),
    },
    {
        "name": "fast on a model without it",
        **SONNET,
        "usage": {"input_tokens": 1000, "output_tokens": 200, "speed": "fast"},
        "usd": None,
        "unknown": "does not know tier 'fast' of claude-sonnet-4-5",
    },
    {
        "name": "in the US",
        "usage": {"input_tokens": 1000, "output_tokens": 200, "inference_geo": "us"},
        "usd": per_million((1000, "5"), (200, "25")) * Decimal("1.1"),
    },
    {
        "name": "in the US with a search, which costs the same",
        "usage": {
            "input_tokens": 1000,
            "output_tokens": 200,
            "inference_geo": "us",
            "server_tool_use": {"web_search_requests": 1},
        },
        "usd": per_million((1000, "5"), (200, "25")) * Decimal("1.1") + each(1, "0.01"),
    },
    {
        "name": "fast in the US",
        "usage": {"input_tokens": 1000, "output_tokens": 200, "inference_geo": "us", "speed": "fast"},
        "usd": per_million((1000, "10"), (200, "50")) * Decimal("1.1"),
    },
    {
        "name": "anywhere",
        "usage": {"input_tokens": 1000, "output_tokens": 200, "inference_geo": "global"},
        "usd": per_million((1000, "5"), (200, "25")),
    },
    {
        "name": "in a new region",
        "usage": {"input_tokens": 1000, "output_tokens": 200, "inference_geo": "mars"},
        "usd": None,
        "unknown": "the region 'mars' is not known",
    },
    {
        "name": "batch",
        "usage": {"input_tokens": 1000, "output_tokens": 200, "service_tier": "batch"},
        "usd": per_million((1000, "2.5"), (200, "12.5")),
    },
    {
        "name": "priority is a contract",
        "usage": {"input_tokens": 1000, "output_tokens": 200, "service_tier": "priority"},
        "usd": None,
        "unknown": "tier 'priority'",
    },
)

ITERATIONS = rule(
    "`iterations` bills each pass, compactions included, beside the counts at the top",
    "platform.claude.com, Compaction, Understanding usage",
    {"through": "anthropic", "asked": "claude:anthropic/claude-opus-4-6", "answered": "claude-opus-4-6"},
    {
        "name": "a compaction",
        "usage": {
            "input_tokens": 10,
            "output_tokens": 20,
            "iterations": [
                {"type": "compaction", "input_tokens": 100_000, "output_tokens": 500},
                {"type": "message", "input_tokens": 10, "output_tokens": 20},
            ],
        },
        "usd": per_million((100_010, "5"), (520, "25")),
    },
    {
        "name": "an adviser, which is another model",
        "usage": {
            "input_tokens": 10,
            "output_tokens": 20,
            "iterations": [
                {"type": "message", "input_tokens": 10, "output_tokens": 20},
                {"type": "advisor_message", "input_tokens": 1000, "output_tokens": 50},
            ],
        },
        "usd": None,
        "unknown": "usage.iterations[]",
    },
    {
        "name": "a compaction of a gateway that does not add up",
        "through": None,
        "asked": "anthropic:claude-opus-4-6",
        "usage": {
            "input_tokens": 10,
            "output_tokens": 20,
            "iterations": [{"type": "compaction", "input_tokens": 100_000, "output_tokens": 500}],
        },
        "usd": None,
        "unknown": "usage.iterations[].input_tokens = 100000",
    },
)

NATIVE = rule(
    "A gateway may pass on Anthropic's own counts, whose input excludes the cache, or OpenAI's, which include it",
    "platform.claude.com, Prompt caching; Databricks and MiniMax in genai-prices 0.2.3",
    {"asked": "anthropic:claude-haiku-4-5", "url": "https://gateway.corp.test/v1"},
    {
        "name": "its own",
        "usage": {"input_tokens": 100, "cache_read_input_tokens": 5000, "output_tokens": 10},
        "usd": per_million((100, "1"), (5000, "0.1"), (10, "5")),
    },
    {
        "name": "OpenAI's with its names",
        "usage": chat(5100, 10, cache_read_input_tokens=5000),
        "usd": per_million((100, "1"), (5000, "0.1"), (10, "5")),
    },
    {
        "name": "OpenAI's whose sum shows that the cache is beside",
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "total_tokens": 5110,
            "cache_read_input_tokens": 5000,
        },
        "usd": per_million((100, "1"), (5000, "0.1"), (10, "5")),
    },
    {
        "name": "an hour without a sum of the writes",
        "usage": {
            "input_tokens": 100,
            "cache_creation": {"ephemeral_1h_input_tokens": 2000, "ephemeral_5m_input_tokens": 0},
            "output_tokens": 10,
        },
        "usd": per_million((100, "1"), (2000, "2"), (10, "5")),
    },
    {
        "name": "its door in OpenAI's format",
        "url": "https://api.anthropic.com/v1",
        "usage": chat(100, 10, prompt_tokens_details=None, completion_tokens_details=None),
        "usd": per_million((100, "1"), (10, "5")),
    },
)

BEDROCK = rule(
    "Regional and multi-region profiles cost 10 % more than `global.` for Claude 4.5 and later",
    f"{PAGE}, Third-party platform pricing",
    {"usage": chat(1000, 100)},
    {
        "name": "global, though litellm drops the prefix",
        "asked": "any:bedrock/global.anthropic.claude-haiku-4-5-20251001-v1:0",
        "answered": "anthropic.claude-haiku-4-5-20251001-v1:0",
        "usd": per_million((1000, "1"), (100, "5")),
    },
    {
        "name": "eu",
        "asked": "bedrock:eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        "usd": per_million((1000, "1.1"), (100, "5.5")),
    },
    {
        "name": "us, though litellm drops the prefix",
        "asked": "any:bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "answered": "anthropic.claude-haiku-4-5-20251001-v1:0",
        "usd": per_million((1000, "1.1"), (100, "5.5")),
    },
    {
        "name": "one region",
        "asked": "bedrock:anthropic.claude-haiku-4-5-20251001-v1:0",
        "usd": per_million((1000, "1.1"), (100, "5.5")),
    },
    {
        "name": "another maker's model has prices by region",
        "asked": "bedrock:amazon.nova-pro-v1:0",
        "usd": per_million((1000, "0.8"), (100, "3.2")),
        "doubt": "Bedrock's prices differ by region",
    },
    {
        "name": "a profile of one's own",
        "asked": "bedrock:arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
        "usd": None,
        "unknown": "does not know bedrock:arn",
    },
)

VERTEX = rule(
    "Regional endpoints cost 10 % more than the global one for Claude 4.5 and later",
    f"{PAGE}, Third-party platform pricing",
    {"asked": "any:vertex_ai/claude-sonnet-4-5@20250929", "usage": chat(1000, 100)},
    {
        "name": "a library chose the place",
        "usd": per_million((1000, "3"), (100, "15")),
        "doubt": "a region of Vertex AI may cost 10 % more",
    },
    {
        "name": "a regional address",
        "asked": "google:claude-sonnet-4-5@20250929",
        "url": "https://europe-west1-aiplatform.googleapis.com/v1/projects/p",
        "usd": None,
        "unknown": "at the regional address europe-west1-aiplatform.googleapis.com is not known",
    },
)

ROWS = (*TOKENS, *SEARCHES, *MODES, *ITERATIONS, *NATIVE, *BEDROCK, *VERTEX)
