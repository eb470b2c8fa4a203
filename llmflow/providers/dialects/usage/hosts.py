"""Hosts whose fields differ from OpenAI's in a few names.

Sources: "Context caching" of api-docs.deepseek.com; extractors of genai-prices 0.2.3 (Moonshot, xAI, Databricks,
Modal); "Prompt caching" of docs.mistral.ai; "Context Cache" of alibabacloud.com/help/model-studio; "Usage accounting"
of openrouter.ai/docs; the SDKs of Groq (`CompletionUsage`), Together (`UsageData`) and SambaNova. xAI's counts of its
own tools and searches, Mistral's seconds of sound and Perplexity's citations have prices that no list has: they stay
unread, and the bill that xAI and Perplexity send counts.
"""

from types import MappingProxyType

from llmflow.providers.dialects.usage.roles import INPUT_DETAILS, MINUTES, REST, Table, within

DEEPSEEK: Table = MappingProxyType({"prompt_cache_hit_tokens": "cache_read_tokens", "prompt_cache_miss_tokens": REST})

CACHED_AT_THE_TOP: Table = MappingProxyType(
    {
        "cached_tokens": "cache_read_tokens",  # Moonshot, Together
        "num_cached_tokens": "cache_read_tokens",  # Mistral
        "prompt_token_details.cached_tokens": "cache_read_tokens",  # Mistral, beside the usual spelling
        "cached_prompt_text_tokens": "cache_read_tokens",  # xAI, before it took OpenAI's names
    }
)

THOUGHT_AT_THE_TOP: Table = MappingProxyType({"reasoning_tokens": "reasoning_tokens"})
"""Databricks, Modal: part of the completion. Perplexity counts it beside, and sends its bill."""

QWEN: Table = MappingProxyType(
    within(
        INPUT_DETAILS,
        {
            "cache_creation_input_tokens": "cache_write_tokens",
            **within(("cache_creation",), {"ephemeral_5m_input_tokens": MINUTES}),
        },
    )
)

GROQ: Table = MappingProxyType(dict.fromkeys(("queue_time", "prompt_time", "completion_time", "total_time"), REST))

SAMBANOVA: Table = MappingProxyType(
    dict.fromkeys(
        (
            "acceptance_rate",
            "completion_tokens_after_first_per_sec",
            "completion_tokens_after_first_per_sec_first_ten",
            "completion_tokens_after_first_per_sec_graph",
            "completion_tokens_per_sec",
            "end_time",
            "model_execution_time",
            "start_time",
            "time_to_first_token",
            "time_to_first_token_graph",
            "total_latency",
            "total_tokens_per_sec",
        ),
        REST,
    )
)
