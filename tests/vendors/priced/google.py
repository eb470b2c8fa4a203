"""Gemini by its OpenAI-compatible door and by litellm. Prices of November 2026."""

from .row import chat, each, per_million, rule

PAGE = "ai.google.dev, Gemini API pricing"
DOOR = "https://generativelanguage.googleapis.com/v1beta/openai/"

THOUGHTS = rule(
    "Thoughts are billed as output; the door's completion excludes them, and its sum includes them",
    "ai.google.dev, Thinking; mozilla-ai/any-llm#1290",
    {"asked": "gemini:gemini-3.8-flash", "url": DOOR},
    {"name": "none", "usage": chat(1000, 200), "usd": per_million((1000, "0.75"), (200, "3.75"))},
    {
        "name": "in the sum alone",
        "usage": {"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 623},
        "usd": per_million((20, "0.75"), (603, "3.75")),
    },
    {
        "name": "nothing else was said",
        "usage": {
            "prompt_tokens": 21,
            "completion_tokens": 0,
            "total_tokens": 81,
            "completion_tokens_details": {"reasoning_tokens": 60},
        },
        "usd": per_million((21, "0.75"), (60, "3.75")),
    },
    {
        "name": "inside the completion",
        "usage": chat(20, 603, completion_tokens_details={"reasoning_tokens": 405}),
        "usd": per_million((20, "0.75"), (603, "3.75")),
    },
    {
        "name": "by a gateway of another host",
        "asked": "gemini:gemini-3.8-flash",
        "url": "https://gateway.corp.test/v1",
        "usage": {"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 623},
        "usd": per_million((20, "0.75"), (603, "3.75")),
    },
    {
        "name": "a name with a path",
        "answered": "models/gemini-3.8-flash",
        "usage": {"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 623},
        "usd": per_million((20, "0.75"), (603, "3.75")),
    },
    {
        "name": "a name of Vertex AI's door",
        "asked": "vertex:google/gemini-3.8-flash",
        "url": "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi",
        "usage": {"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 623},
        "usd": per_million((20, "0.75"), (603, "3.75")),
    },
    {
        "name": "a stream whose last chunk has them",
        "usage": None,
        "chunks": (
            {"usage": {"prompt_tokens": 20, "completion_tokens": 1, "total_tokens": 426}},
            {"usage": {"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 623}},
        ),
        "usd": per_million((20, "0.75"), (603, "3.75")),
    },
)

CACHES = rule(
    "Cached input costs a tenth; prompts above 200,000 tokens cost more as a whole",
    PAGE,
    {"asked": "gemini:gemini-2.5-pro", "url": DOOR},
    {
        "name": "cached",
        "usage": chat(10_000, 100, prompt_tokens_details={"cached_tokens": 8000}),
        "usd": per_million((2000, "1.25"), (8000, "0.125"), (100, "10")),
    },
    {
        "name": "long",
        "usage": chat(200_001, 100),
        "usd": per_million((200_001, "2.5"), (100, "15")),
    },
    {"name": "at the step", "usage": chat(200_000, 100), "usd": per_million((200_000, "1.25"), (100, "10"))},
    {
        "name": "long and cached",
        "usage": chat(300_000, 100, prompt_tokens_details={"cached_tokens": 100_000}),
        "usd": per_million((200_000, "2.5"), (100_000, "0.25"), (100, "15")),
    },
)

NATIVE = rule(
    "Thoughts are output, tool results input; sound costs more than text, also from the cache; images made, most",
    f"{PAGE}; litellm 1.109, vertex_and_google_ai_studio_gemini.py",
    {"asked": "any:gemini/gemini-2.5-flash", "answered": "gemini-2.5-flash", "through": "gemini"},
    {
        "name": "thoughts",
        "usage": {
            "promptTokenCount": 100,
            "candidatesTokenCount": 20,
            "thoughtsTokenCount": 300,
            "totalTokenCount": 420,
        },
        "usd": per_million((100, "0.3"), (320, "2.5")),
    },
    {
        "name": "sound",
        "usage": {
            "promptTokenCount": 1000,
            "candidatesTokenCount": 20,
            "totalTokenCount": 1020,
            "promptTokensDetails": [
                {"modality": "AUDIO", "tokenCount": 900},
                {"modality": "TEXT", "tokenCount": 100},
            ],
        },
        "usd": per_million((100, "0.3"), (900, "1"), (20, "2.5")),
    },
    {
        "name": "sound from the cache",
        "usage": {
            "promptTokenCount": 1000,
            "cachedContentTokenCount": 600,
            "candidatesTokenCount": 20,
            "totalTokenCount": 1020,
            "promptTokensDetails": [
                {"modality": "AUDIO", "tokenCount": 900},
                {"modality": "TEXT", "tokenCount": 100},
            ],
            "cacheTokensDetails": [
                {"modality": "AUDIO", "tokenCount": 550},
                {"modality": "TEXT", "tokenCount": 50},
            ],
        },
        "usd": per_million((50, "0.3"), (350, "1"), (550, "0.1"), (50, "0.03"), (20, "2.5")),
    },
    {
        "name": "video costs as text",
        "usage": {
            "promptTokenCount": 1000,
            "candidatesTokenCount": 20,
            "totalTokenCount": 1020,
            "promptTokensDetails": [{"modality": "VIDEO", "tokenCount": 1000}],
        },
        "usd": per_million((1000, "0.3"), (20, "2.5")),
    },
    {
        "name": "results of its tools",
        "usage": {
            "promptTokenCount": 100,
            "toolUsePromptTokenCount": 500,
            "candidatesTokenCount": 20,
            "totalTokenCount": 620,
        },
        "usd": per_million((600, "0.3"), (20, "2.5")),
    },
    {
        "name": "an image that it made",
        "asked": "any:gemini/gemini-2.5-flash-image",
        "answered": "gemini-2.5-flash-image",
        "usage": {
            "promptTokenCount": 100,
            "candidatesTokenCount": 1310,
            "totalTokenCount": 1410,
            "candidatesTokensDetails": [
                {"modality": "IMAGE", "tokenCount": 1290},
                {"modality": "TEXT", "tokenCount": 20},
            ],
        },
        "usd": per_million((100, "0.3"), (20, "2.5"), (1290, "30")),
    },
    {
        "name": "an image of a model without such a price",
        "usage": {
            "promptTokenCount": 100,
            "candidatesTokenCount": 1310,
            "totalTokenCount": 1410,
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
        },
        "usd": None,
        "unknown": "for output_image_tokens",
    },
)

GROUNDING = rule(
    "Grounding with Google Search costs $14 per 1,000 queries on Gemini 3, $35 per 1,000 prompts before",
    f"{PAGE}; litellm 1.109, types/utils.py",
    {"usage": chat(1000, 100, prompt_tokens_details={"web_search_requests": 3})},
    {
        "name": "three queries of Gemini 3",
        "asked": "gemini:gemini-3.8-flash",
        "usd": per_million((1000, "0.75"), (100, "3.75")) + each(3, "0.014"),
    },
    {
        "name": "three queries of one prompt before",
        "asked": "gemini:gemini-2.5-flash",
        "usd": per_million((1000, "0.3"), (100, "2.5")) + each(1, "0.035"),
    },
    {
        "name": "with maps",
        "asked": "gemini:gemini-3.8-flash",
        "usage": chat(1000, 100, prompt_tokens_details={"google_maps_grounding_requests": 1}),
        "usd": None,
        "unknown": "google_maps_grounding_requests = 1",
    },
)

TIERS = rule(
    "Flex and batch cost half, priority 1.8 times",
    PAGE,
    {"asked": "gemini:gemini-3.8-flash", "url": DOOR, "usage": chat(1000, 100)},
    {
        "name": "flex was asked and nothing answered",
        "options": {"service_tier": "flex"},
        "usd": None,
        "unknown": "service_tier=flex, which was asked for and not answered",
    },
    {
        "name": "batch",
        "answer": {"service_tier": "batch"},
        "usd": per_million((1000, "0.375"), (100, "1.875")),
    },
)

ROWS = (*THOUGHTS, *CACHES, *NATIVE, *GROUNDING, *TIERS)
