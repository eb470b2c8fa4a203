"""Estimates of token counts, made without a tokenizer."""

from collections.abc import Iterable

from llmflow.types.messages import Audio, File, Image, Message, Opaque, Part, Text, ToolCall, ToolResult
from llmflow.types.models import ModelRequest

CHARACTERS_PER_TOKEN = 4
"""Average for English text with most vendors. Other languages need up to four times as many tokens."""


def estimated_tokens(messages: Iterable[Message], *texts: str) -> int:
    """Estimate the tokens of messages and texts by their characters. Pictures, files and audio are not counted.

    The same input always gives the same number, so workflow code may branch on it.
    """
    said = sum(_characters(part) for message in messages for part in message.parts)
    return (said + sum(map(len, texts))) // CHARACTERS_PER_TOKEN


def estimated_input(request: ModelRequest) -> int:
    """Estimate the input tokens of a request: its messages, its tools, and the schema of its answer."""
    schemas = (*request.tools, *((request.output,) if request.output else ()))
    return estimated_tokens(request.messages, *(schema.model_dump_json() for schema in schemas))


def _characters(part: Part) -> int:
    match part:
        case Text() | ToolResult():
            return len(part.text)
        case ToolCall():
            return len(part.arguments)
        case Opaque():
            return len(part.model_dump_json())
        case Image() | File() | Audio():
            return 0
