"""OpenAI: its hosted tools, service tiers and regions. Prices of November 2026, by its page "Pricing"."""

from decimal import Decimal

from .row import chat, each, per_million, responses, rule

PRICING = "developers.openai.com, Pricing"


SEARCH = {"type": "web_search_call", "status": "completed", "action": {"type": "search"}}


def searched(count: int) -> dict[str, object]:
    return {"output": [SEARCH] * count, "tools": [{"type": "web_search"}]}


def ran(*kinds: str) -> dict[str, object]:
    return {"output": [{"type": kind, "status": "completed"} for kind in kinds]}


SEARCHES = rule(
    "A web search costs $10 per 1,000 calls, a file search $2.50; only the action `search` is billed",
    f"{PRICING}, Built-in tools; Web search, Output and citations",
    {"api": "responses", "asked": "openai:gpt-4o-mini", "usage": responses(300, 200)},
    {
        "name": "three of a cheap model",
        "answer": searched(3),
        "usd": per_million((300, "0.15"), (200, "0.6")) + each(3, "0.01"),
    },
    {
        "name": "one of a dear model",
        "asked": "openai:gpt-5.4",
        "answer": searched(1),
        "usd": per_million((300, "2.5"), (200, "15")) + each(1, "0.01"),
    },
    {
        "name": "opened pages are free",
        "answer": {
            "output": [
                {"type": "web_search_call", "status": "completed", "action": {"type": "open_page", "url": "u"}},
                {"type": "web_search_call", "status": "completed", "action": {"type": "find_in_page"}},
            ]
        },
        "usd": per_million((300, "0.15"), (200, "0.6")),
    },
    {
        "name": "two file searches",
        "answer": ran("file_search_call", "file_search_call"),
        "usd": per_million((300, "0.15"), (200, "0.6")) + each(2, "0.0025"),
    },
    {
        "name": "both",
        "answer": {"output": [SEARCH, {"type": "file_search_call", "status": "completed"}]},
        "usd": per_million((300, "0.15"), (200, "0.6")) + each(1, "0.01") + each(1, "0.0025"),
    },
    {
        "name": "the preview tool has another price, by the model",
        "answer": searched(1) | {"tools": [{"type": "web_search_preview"}]},
        "usd": None,
        "unknown": "web_search_preview = 1",
    },
    {
        "name": "a model without a price of searches",
        "asked": "openai:gpt-5.6-cyber",
        "answer": searched(1),
        "usd": None,
        "unknown": "for web_searches",
    },
    {
        "name": "a model that searches in every request",
        "api": "chat",
        "asked": "openai:gpt-4o-search-preview",
        "usage": chat(300, 200),
        "usd": None,
        "unknown": "a search in every request",
    },
    {
        "name": "its small sister, which the list prices as if it did not",
        "api": "chat",
        "asked": "openai:gpt-4o-mini-search-preview",
        "usage": chat(300, 200),
        "usd": None,
        "unknown": "a search in every request",
    },
    {
        "name": "citations in chat completions",
        "api": "chat",
        "usage": chat(300, 200),
        "message": {"annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}]},
        "usd": None,
        "unknown": "annotations = 1",
    },
    {
        "name": "no citations",
        "api": "chat",
        "usage": chat(300, 200),
        "message": {"annotations": [], "refusal": None},
        "usd": per_million((300, "0.15"), (200, "0.6")),
    },
)

TOOLS = rule(
    "Containers cost by their time, images by their own tokens; functions, MCP and the user's shell only tokens",
    f"{PRICING}, Built-in tools",
    {"api": "responses", "asked": "openai:gpt-5.4", "usage": responses(1000, 100)},
    *(
        {"name": kind, "answer": ran(kind), "usd": None, "unknown": f"{kind} = 1"}
        for kind in ("code_interpreter_call", "image_generation_call", "shell_call", "a_call_of_next_year")
    ),
    *(
        {"name": kind, "answer": ran(kind), "usd": per_million((1000, "2.5"), (100, "15"))}
        for kind in ("reasoning", "mcp_call", "mcp_list_tools", "local_shell_call", "custom_tool_call", "computer_call")
    ),
)

TIERS = rule(
    "The answer names the tier that served it; flex and batch cost half, priority up to twice",
    f"{PRICING}; Flex processing; Priority processing",
    {"asked": "openai:gpt-5.4-mini", "usage": chat(2000, 500)},
    {
        "name": "default",
        "answer": {"service_tier": "default"},
        "usd": per_million((2000, "0.75"), (500, "4.5")),
    },
    {
        "name": "flex",
        "answer": {"service_tier": "flex"},
        "options": {"service_tier": "flex"},
        "usd": per_million((2000, "0.375"), (500, "2.25")),
    },
    {
        "name": "priority",
        "answer": {"service_tier": "priority"},
        "usd": per_million((2000, "1.5"), (500, "9")),
    },
    {
        "name": "flex was asked and the default answered",
        "answer": {"service_tier": "default"},
        "options": {"service_tier": "flex"},
        "usd": per_million((2000, "0.75"), (500, "4.5")),
    },
    {
        "name": "flex was asked and nothing answered",
        "options": {"service_tier": "flex"},
        "usd": None,
        "unknown": "service_tier=flex, which was asked for and not answered",
    },
    {
        "name": "the same through extra",
        "options": {"extra": {"service_tier": "priority"}},
        "usd": None,
        "unknown": "service_tier=priority, which was asked for and not answered",
    },
    {
        "name": "auto was asked and nothing answered",
        "options": {"service_tier": "auto"},
        "usd": per_million((2000, "0.75"), (500, "4.5")),
    },
    {
        "name": "a tier that no list has",
        "answer": {"service_tier": "scale"},
        "usd": None,
        "unknown": "tier 'scale'",
    },
    {
        "name": "batch",
        "answer": {"service_tier": "batch"},
        "usd": per_million((2000, "0.375"), (500, "2.25")),
    },
    {
        "name": "flex and cached",
        "answer": {"service_tier": "flex"},
        "usage": chat(2000, 500, prompt_tokens_details={"cached_tokens": 1000}),
        "usd": per_million((1000, "0.375"), (1000, "0.0375"), (500, "2.25")),
    },
    {
        "name": "searches cost the same in each tier",
        "api": "responses",
        "usage": responses(2000, 500),
        "answer": {"service_tier": "flex", **searched(2)},
        "usd": per_million((2000, "0.375"), (500, "2.25")) + each(2, "0.01"),
    },
)

REGIONS = rule(
    "Data residency endpoints cost 10 % more for models released on or after March 5, 2026",
    "developers.openai.com, Data residency",
    {"asked": "openai:gpt-5.4", "url": "https://eu.api.openai.com/v1", "usage": chat(1000, 100)},
    {"name": "eu", "usd": per_million((1000, "2.5"), (100, "15")) * Decimal("1.1")},
    {
        "name": "us, by a provider of another name",
        "asked": "american:gpt-6-luna",
        "url": "https://us.api.openai.com/v1",
        "usd": per_million((1000, "0.1"), (100, "0.5")) * Decimal("1.1"),
    },
    {
        "name": "an older model",
        "asked": "openai:gpt-4o-mini",
        "usd": per_million((1000, "0.15"), (100, "0.6")),
    },
    {"name": "gpt-5.1 is older, too", "asked": "openai:gpt-5.1", "usd": per_million((1000, "1.25"), (100, "10"))},
    {"name": "o3 is older, too", "asked": "openai:o3", "usd": per_million((1000, "2"), (100, "8"))},
    {
        "name": "a model of unknown age",
        "asked": "openai:gpt-audio",
        "usd": None,
        "unknown": "the price of gpt-audio at eu.api.openai.com is not known",
    },
    {
        "name": "searches in a region",
        "api": "responses",
        "usage": responses(1000, 100),
        "answer": searched(1),
        "usd": None,
        "unknown": "does not know if searches cost more in the region",
    },
    {
        "name": "the world",
        "url": "https://api.openai.com/v1",
        "usd": per_million((1000, "2.5"), (100, "15")),
    },
)

ROWS = (*SEARCHES, *TOOLS, *TIERS, *REGIONS)
