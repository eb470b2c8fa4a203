"""OpenAI's two APIs, which all compatible servers follow.

Sources: `ResponseUsage` and `CompletionUsage` of the openai SDK 3.52 (`types/responses/response_usage.py`,
`types/completion_usage.py`). Cache writes of 30 minutes have the standard price of writes; those of 12 hours have
their own, so they stay unread. Predicted tokens are part of the completion, rejected ones included, at its price.
"""

from types import MappingProxyType

from llmflow.providers.dialects.usage.roles import INPUT_DETAILS, MINUTES, OUTPUT_DETAILS, REST, TOTAL, Table, within

TABLE: Table = MappingProxyType(
    {
        "input_tokens": "input_tokens",
        "prompt_tokens": "input_tokens",
        "output_tokens": "output_tokens",
        "completion_tokens": "output_tokens",
        "total_tokens": TOTAL,
        **within(
            INPUT_DETAILS,
            {
                "cached_tokens": "cache_read_tokens",
                "cached_tokens_details.audio_tokens": "cache_read_audio_tokens",
                "cached_tokens_details.text_tokens": REST,
                "cache_write_tokens": "cache_write_tokens",
                "cache_write_tokens_details.ttl_30m_tokens": MINUTES,
                "audio_tokens": "input_audio_tokens",
                "image_tokens": "input_image_tokens",
                "text_tokens": REST,
            },
        ),
        **within(
            OUTPUT_DETAILS,
            {
                "reasoning_tokens": "reasoning_tokens",
                "audio_tokens": "output_audio_tokens",
                "image_tokens": "output_image_tokens",
                "text_tokens": REST,
                "accepted_prediction_tokens": REST,
                "rejected_prediction_tokens": REST,
            },
        ),
    }
)
