"""Reasons with which vendors end an answer: one table.

OpenAI documents `stop`, `length`, `tool_calls`, `function_call`, `content_filter`. Others have words of their own,
which gateways pass on: Anthropic (`end_turn`, `max_tokens`, `tool_use`, `refusal`), Gemini (`SAFETY`, `RECITATION`),
Mistral (`model_length`), Together (`eos`), Bedrock (`guardrail_intervened`), Zhipu (`sensitive`). A word that is in no
row, such as DeepSeek's `insufficient_system_resource` or Gemini's `MALFORMED_FUNCTION_CALL`, ends no answer.
"""

from collections.abc import Mapping
from types import MappingProxyType

from llmflow.types.models import FinishReason

_WORDS: Mapping[FinishReason, str] = MappingProxyType(
    {
        "stop": "stop eos eos_token end_turn stop_sequence complete completed pause_turn",
        "length": "length max_tokens max_output_tokens model_length model_context_window_exceeded",
        "tool_calls": "tool_calls tool_call tool_use function_call",
        "refused": "content_filter content_filtered refusal safety recitation blocklist prohibited_content spii"
        " image_safety guardrail_intervened sensitive",
    }
)
_BY_WORD: Mapping[str, FinishReason] = MappingProxyType(
    {word: reason for reason, words in _WORDS.items() for word in words.split()}
)


def ending(word: str | None) -> FinishReason:
    """Convert a vendor's word for the end of an answer. No word is `stop`: some servers never send one.

    Gemini's door for OpenAI's clients puts its own word behind ours, as in `content_filter: RECITATION`.
    """
    if not word:
        return "stop"
    return _BY_WORD.get(word.partition(":")[0].strip().lower(), "unknown")
