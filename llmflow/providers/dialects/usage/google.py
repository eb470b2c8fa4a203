"""Gemini, behind Google's OpenAI-compatible door and in litellm's format.

Sources: "Thinking" of ai.google.dev: thoughts are billed as output. The door's `completion_tokens` exclude them and
its `total_tokens` include them (mozilla-ai/any-llm#1290, router-for-me/CLIProxyAPI#5733), which the reader proves by
the sum. litellm 1.109 (`types/utils.py`): `tool_use_tokens` are part of its prompt tokens. Grounding with Maps has a
price that no list has, so it stays unread.
"""

from types import MappingProxyType

from llmflow.providers.dialects.usage.roles import INPUT_DETAILS, REST, Table, within

TABLE: Table = MappingProxyType(
    within(
        INPUT_DETAILS,
        {"video_tokens": "input_video_tokens", "tool_use_tokens": REST, "initial_prompt_tokens": REST},
    )
)
