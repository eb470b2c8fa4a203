"""Anthropic, in its own format and in litellm's; Bedrock, MiniMax and Databricks have some of its names.

Sources: "Prompt caching" and "Pricing" of platform.claude.com: `input_tokens` excludes what was read from a cache and
written to it; web searches cost by the request, web fetches nothing beside their tokens. `BetaUsage` of Anthropic's
SDKs. `Usage`, `PromptTokensDetailsWrapper` and `CacheCreationTokenDetails` of litellm 1.109 (`types/utils.py`).
Databricks and MiniMax: their extractors in genai-prices 0.2.3. Code executions are billed by the hour of their
container, so they stay unread, as do `iterations`, whose compactions are billed beside the other counts.
"""

from types import MappingProxyType

from llmflow.providers.dialects.usage.roles import BESIDE, INPUT_DETAILS, MINUTES, REST, Table, within

_WRITES: Table = MappingProxyType(
    {"ephemeral_5m_input_tokens": MINUTES, "ephemeral_1h_input_tokens": "cache_write_1h_tokens"}
)

TABLE: Table = MappingProxyType(
    {
        "cache_read_input_tokens": f"{BESIDE}cache_read_tokens",
        "cache_creation_input_tokens": f"{BESIDE}cache_write_tokens",
        **within(("cache_creation",), _WRITES),
        "server_tool_use.web_search_requests": "web_searches",
        "server_tool_use.web_fetch_requests": REST,
        "output_tokens_details.thinking_tokens": "reasoning_tokens",
        **within(
            INPUT_DETAILS,
            {
                "cache_creation_tokens": "cache_write_tokens",
                **within(("cache_creation_token_details",), _WRITES),
                "web_search_requests": "web_searches",
            },
        ),
    }
)
