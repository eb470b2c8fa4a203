"""Other makers of models, and hosts of open ones. Prices of November 2026."""

from datetime import UTC, datetime
from decimal import Decimal

from .row import chat, per_million, rule

MOONSHOT = "https://api.moonshot.ai/v1"


def at(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


DEEPSEEK = rule(
    "Cache hits and misses are the prompt; hits cost a fiftieth",
    "api-docs.deepseek.com, Context caching, Models and pricing",
    {"asked": "deepseek:deepseek-v4-flash", "url": "https://api.deepseek.com"},
    {"name": "plain", "usage": chat(1000, 100), "usd": per_million((1000, "0.15"), (100, "0.6"))},
    {
        "name": "hits",
        "usage": chat(1000, 100, prompt_cache_hit_tokens=640, prompt_cache_miss_tokens=360),
        "usd": per_million((360, "0.15"), (640, "0.003"), (100, "0.6")),
    },
    {
        "name": "hits said twice",
        "usage": chat(
            1000,
            100,
            prompt_cache_hit_tokens=640,
            prompt_cache_miss_tokens=360,
            prompt_tokens_details={"cached_tokens": 640},
            completion_tokens_details={"reasoning_tokens": 80},
        ),
        "usd": per_million((360, "0.15"), (640, "0.003"), (100, "0.6")),
    },
    {
        "name": "searches that it ran, whose price no list has",
        "usage": chat(1000, 100, server_tool_use={"web_search_requests": 2}),
        "usd": None,
        "unknown": "for web_searches",
    },
)

PEAKS = rule(
    "Peaks, 1 to 4 and 6 to 10 o'clock UTC from Monday to Friday in Beijing, cost twice; since 17 August 2026",
    "api-docs.deepseek.com, Models and pricing; its notes on weekends since 23 August",
    {"asked": "deepseek:deepseek-v4-flash", "url": "https://api.deepseek.com", "usage": chat(1000, 100)},
    {
        "name": "a Friday at 2",
        "at": at(2026, 11, 20, 2),
        "usd": per_million((1000, "0.3"), (100, "1.2")),
        "doubt": "peak hours; on a public holiday of China it is less",
    },
    {"name": "a Friday at 9:59", "at": at(2026, 11, 20, 9, 59), "usd": per_million((1000, "0.3"), (100, "1.2"))},
    {"name": "a Friday at 5", "at": at(2026, 11, 20, 5), "usd": per_million((1000, "0.15"), (100, "0.6"))},
    {"name": "a Friday at 10", "at": at(2026, 11, 20, 10), "usd": per_million((1000, "0.15"), (100, "0.6"))},
    {"name": "a Saturday at 2", "at": at(2026, 11, 21, 2), "usd": per_million((1000, "0.15"), (100, "0.6"))},
    {"name": "a Sunday at 8", "at": at(2026, 11, 22, 8), "usd": per_million((1000, "0.15"), (100, "0.6"))},
    {
        "name": "a morning in July, before there were peaks",
        "at": at(2026, 7, 15, 2),
        "usd": per_million((1000, "0.14"), (100, "0.28")),
    },
)

KIMI = rule(
    "Cached tokens stand at the top of the usage; the last choice of a stream has the usage",
    "platform.kimi.ai, Pricing; moonshotai in genai-prices 0.2.3",
    {"asked": "moonshot:kimi-k2.5", "url": MOONSHOT},
    {
        "name": "cached",
        "usage": chat(1000, 100, cached_tokens=768),
        "usd": per_million((232, "0.6"), (768, "0.1"), (100, "3")),
    },
    {
        "name": "cached, said twice",
        "usage": chat(1000, 100, cached_tokens=768, prompt_tokens_details={"cached_tokens": 768}),
        "usd": per_million((232, "0.6"), (768, "0.1"), (100, "3")),
    },
    {
        "name": "a stream",
        "usage": None,
        "chunks": (
            {"choices": [{"index": 0, "delta": {"content": "o"}, "usage": chat(1000, 100, cached_tokens=768)}]},
        ),
        "usd": per_million((232, "0.6"), (768, "0.1"), (100, "3")),
    },
    {
        "name": "in China, in yuan",
        "url": "https://api.moonshot.cn/v1",
        "usage": chat(1000, 100),
        "usd": None,
        "unknown": "api.moonshot.cn bills in yuan",
    },
)

XAI = rule(
    "Reasoning is beside the completion in chat, tools cost by the call; 10^10 of `cost_in_usd_ticks` are a dollar",
    "docs.x.ai, Cost tracking, Pricing; x-ai in genai-prices 0.2.3",
    {"asked": "xai:grok-4.3", "url": "https://api.x.ai/v1"},
    {
        "name": "reasoning beside",
        "usage": {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 273,
            "prompt_tokens_details": {"text_tokens": 32, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 8},
            "completion_tokens_details": {"reasoning_tokens": 232, "audio_tokens": 0},
            "num_sources_used": 0,
        },
        "usd": per_million((24, "1.25"), (8, "0.2"), (241, "2.5")),
    },
    {
        "name": "reasoning inside",
        "usage": chat(32, 241, completion_tokens_details={"reasoning_tokens": 232}),
        "usd": per_million((32, "1.25"), (241, "2.5")),
    },
    {
        "name": "reasoning beyond, without a sum",
        "usage": {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "completion_tokens_details": {"reasoning_tokens": 232},
        },
        "usd": None,
        "unknown": "usage.reasoning_tokens beyond the output = 223",
    },
    {
        "name": "sources of a live search",
        "usage": chat(32, 9, num_sources_used=5),
        "usd": None,
        "unknown": "usage.num_sources_used = 5",
    },
    {
        "name": "its bill, tools included",
        "usage": chat(32, 9, num_sources_used=5, cost_in_usd_ticks=37_756_000),
        "usd": Decimal("0.0037756"),
    },
    {
        "name": "200,000 tokens are long already",
        "usage": chat(200_000, 10),
        "usd": per_million((200_000, "2.5"), (10, "5")),
    },
)

GROQ = rule(
    "Times are no tokens; cached input of gpt-oss costs half; compound systems run tools",
    "console.groq.com, Pricing; groq SDK, CompletionUsage",
    {"asked": "groq:openai/gpt-oss-120b", "url": "https://api.groq.com/openai/v1"},
    {
        "name": "times",
        "usage": chat(1000, 100, queue_time=0.05, prompt_time=0.01, completion_time=0.2, total_time=0.21),
        "usd": per_million((1000, "0.15"), (100, "0.6")),
    },
    {
        "name": "cached",
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": 512}),
        "usd": per_million((488, "0.15"), (512, "0.075"), (100, "0.6")),
    },
    {
        "name": "tools that it ran",
        "usage": chat(1000, 100),
        "message": {"executed_tools": [{"type": "browser.search"}]},
        "usd": None,
        "unknown": "executed_tools = 1",
    },
    {
        "name": "on demand",
        "usage": chat(1000, 100),
        "answer": {"service_tier": "on_demand"},
        "usd": per_million((1000, "0.15"), (100, "0.6")),
    },
)

MISTRAL = rule(
    "Cached input costs a tenth; regional endpoints 1.1 times all tokens; sound by the second",
    "docs.mistral.ai, Prompt caching, Regional inference, Pricing",
    {"asked": "mistral:mistral-large-2512", "url": "https://api.mistral.ai/v1"},
    {"name": "plain", "usage": chat(1000, 100), "usd": per_million((1000, "0.5"), (100, "1.5"))},
    {
        "name": "cached",
        "usage": chat(1000, 100, num_cached_tokens=800, prompt_tokens_details={"cached_tokens": 800}),
        "usd": per_million((200, "0.5"), (800, "0.05"), (100, "1.5")),
    },
    {
        "name": "in Europe",
        "url": "https://api.eu.mistral.ai/v1",
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": 800}),
        "usd": per_million((200, "0.5"), (800, "0.05"), (100, "1.5")) * Decimal("1.1"),
    },
    {
        "name": "sound",
        "usage": chat(1000, 100, prompt_audio_seconds=12),
        "usd": None,
        "unknown": "usage.prompt_audio_seconds = 12",
    },
    {
        "name": "another address of its own",
        "url": "https://codestral.mistral.ai/v1",
        "usage": chat(1000, 100),
        "usd": None,
        "unknown": "knows mistral at another address than https://codestral.mistral.ai/v1",
    },
)

OPEN = rule(
    "Hosts of open models price input, output and, some, cached input",
    "together.ai, fireworks.ai, Pricing; docs.together.ai, Geo-specific inference",
    {},
    {
        "name": "Together",
        "asked": "together:meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "url": "https://api.together.xyz/v1",
        "usage": chat(1000, 100),
        "usd": per_million((1000, "0.88"), (100, "0.88")),
    },
    {
        "name": "Together at its other address, cached at the top",
        "asked": "cheap:deepseek-ai/DeepSeek-V4.1-Flash",
        "url": "https://api.together.ai/v1",
        "usage": chat(1000, 100, cached_tokens=500),
        "usd": per_million((500, "0.3"), (500, "0.006"), (100, "1.2")),
    },
    {
        "name": "Together in the US",
        "asked": "together:deepseek-ai/DeepSeek-V4.1-Flash",
        "url": "https://us-api.together.ai/v1",
        "usage": chat(1000, 100),
        "usd": per_million((1000, "0.3"), (100, "1.2")) * Decimal("1.25"),
    },
    {
        "name": "cached input that the list has no price for",
        "asked": "together:meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "url": "https://api.together.xyz/v1",
        "usage": chat(1000, 100, cached_tokens=500),
        "usd": None,
        "unknown": "for cache_read_tokens",
    },
    {
        "name": "Fireworks",
        "asked": "fireworks:accounts/fireworks/models/gpt-oss-120b",
        "url": "https://api.fireworks.ai/inference/v1",
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": 900}),
        "usd": per_million((100, "0.15"), (900, "0.015"), (100, "0.6")),
    },
    {
        "name": "SambaNova's rates are no tokens",
        "asked": "sambanova:Meta-Llama-3.3-70B-Instruct",
        "url": "https://api.sambanova.ai/v1",
        "usage": chat(1000, 100, total_latency=1.2, completion_tokens_per_sec=400.5, end_time=1.7e9),
        "usd": per_million((1000, "0.6"), (100, "1.2")),
    },
    {
        "name": "Cerebras",
        "asked": "cerebras:gpt-oss-120b",
        "url": "https://api.cerebras.ai/v1",
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": 0}),
        "answer": {"time_info": {"queue_time": 0.1}},
        "usd": per_million((1000, "0.35"), (100, "0.75")),
    },
    {
        "name": "Cohere's door",
        "asked": "cohere:command-a-03-2025",
        "url": "https://api.cohere.ai/compatibility/v1",
        "usage": chat(1000, 100),
        "usd": per_million((1000, "2.5"), (100, "10")),
    },
    {
        "name": "MiniMax",
        "asked": "minimax:MiniMax-M2",
        "url": "https://api.minimax.io/v1",
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": 900}, total_characters=0),
        "usd": per_million((100, "0.3"), (900, "0.03"), (100, "1.2")),
    },
    {
        "name": "a cached count above the input",
        "asked": "moonshot:kimi-k2.5",
        "url": MOONSHOT,
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": 4096}),
        "usd": per_million((1000, "0.1"), (100, "3")),
    },
    {
        "name": "Qwen's explicit cache has another price than its implicit one",
        "asked": "dashscope:qwen-plus",
        "url": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": 500, "cache_type": "ephemeral"}),
        "usd": None,
        "unknown": "prompt_tokens_details.cache_type=ephemeral",
    },
    {
        "name": "vLLM on this machine",
        "asked": "local:Qwen/Qwen3-8B",
        "url": "http://localhost:8000/v1",
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": 512}),
        "usd": None,
        "unknown": "does not know local:Qwen/Qwen3-8B",
    },
    {
        "name": "Databricks",
        "asked": "databricks:databricks-gpt-oss-120b",
        "url": "https://x.cloud.databricks.com/serving-endpoints",
        "usage": chat(1000, 500, reasoning_tokens=400),
        "usd": per_million((1000, "0.15"), (500, "0.6")),
    },
)

PERPLEXITY = rule(
    "Its bill is an object; searches, citations and the size of the context are priced beside the tokens",
    "docs.perplexity.ai, Pricing",
    {"asked": "perplexity:sonar-pro", "url": "https://api.perplexity.ai"},
    {
        "name": "a bill",
        "usage": chat(
            100,
            50,
            search_context_size="low",
            cost={"input_tokens_cost": 0.0003, "output_tokens_cost": 0.00075, "request_cost": 0.006}
            | {"total_cost": 0.00705},
        ),
        "usd": Decimal("0.00705"),
    },
    {
        "name": "no bill",
        "usage": chat(100, 50, search_context_size="low"),
        "usd": None,
        "unknown": "does not know the fee of a request to sonar-pro",
    },
    {
        "name": "deep research without a bill",
        "asked": "perplexity:sonar-deep-research",
        "usage": chat(100, 50, citation_tokens=400, num_search_queries=7, reasoning_tokens=20),
        "usd": None,
        "unknown": "usage.citation_tokens = 400",
    },
    {
        "name": "a bill in euros",
        "usage": chat(100, 50, cost={"total_cost": 1, "currency": "EUR"}),
        "usd": None,
        "unknown": "sonar-pro",
    },
)

AZURE = rule(
    "Azure names the model that answered, not the deployment; data zones and regions cost more than global ones",
    "azure.microsoft.com, Azure OpenAI pricing; learn.microsoft.com, Deployment types",
    {"asked": "azure:my-deployment", "url": "https://mine.openai.azure.com/openai/v1"},
    {
        "name": "a deployment",
        "answered": "gpt-5.4-2026-03-05",
        "usage": chat(1000, 100, prompt_tokens_details={"cached_tokens": 600}),
        "usd": per_million((400, "2.5"), (600, "0.25"), (100, "15")),
        "doubt": "a data zone or a region of Azure may cost 10 % more",
    },
    {
        "name": "a deployment that answers with its own name",
        "usage": chat(1000, 100),
        "usd": None,
        "unknown": "does not know azure:my-deployment",
    },
)

ROWS = (
    *DEEPSEEK, *PEAKS, *KIMI, *XAI, *GROQ, *MISTRAL, *OPEN, *PERPLEXITY, *AZURE
)  # fmt: skip
