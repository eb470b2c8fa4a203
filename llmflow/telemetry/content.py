"""What was said, in a trace: only where it is asked for, and cleaned first."""

import json
import logging
import os
from collections.abc import Callable, Iterable, Sequence

from pydantic import JsonValue

from llmflow.telemetry import genai
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.messages import File, Image, Message, Part, Text, ToolCall, ToolResult
from llmflow.types.models import FinishReason

Redact = Callable[[str], str]
"""Text in, the same text without what nobody may see out. It runs on the event loop of the worker: keep it quick."""

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""OpenTelemetry's own variable. `true`, or its newer values that mean spans; anything else is no."""

_log = logging.getLogger("llmflow.telemetry")


class Content:
    """Makes attributes of what was said; none at all unless the environment asks for them."""

    def __init__(self, redact: Redact | None = None) -> None:
        self.captured = os.environ.get(CAPTURE, "").strip().lower() in {"true", "span_only", "span_and_event"}
        self._redact = redact

    def of_request(self, request: CompletionRequest) -> dict[str, str]:
        """Variables, and the messages that follow the prompt. The prompt's own text is found by its version."""
        if not self.captured:
            return {}
        said = [_message(message) for message in request.messages]
        return self._clean({genai.VARIABLES: request.variables or None, genai.INPUT_MESSAGES: said or None})

    def of_result(self, result: CompletionResult) -> dict[str, str]:
        """The answer."""
        if not self.captured:
            return {}
        text: Sequence[Part] = (Text(text=result.text),) if result.text else ()
        answer = {
            "role": "assistant",
            "parts": [_part(part) for part in (*text, *result.tool_calls)],
            "finish_reason": finish_reason(result.finish_reason),
        }
        return self._clean({genai.OUTPUT_MESSAGES: [answer]})

    def of_arguments(self, arguments: JsonValue) -> dict[str, str]:
        """What a tool was given."""
        return self._clean({genai.TOOL_ARGUMENTS: arguments}) if self.captured else {}

    def of_tool_result(self, result: JsonValue) -> dict[str, str]:
        """What a tool returned."""
        return self._clean({genai.TOOL_RESULT: result}) if self.captured else {}

    def _clean(self, values: dict[str, JsonValue | Sequence[JsonValue]]) -> dict[str, str]:
        texts = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items() if value is not None}
        if self._redact is None:
            return texts
        try:
            return {name: _text(self._redact(text)) for name, text in texts.items()}
        except Exception as error:  # it is the user's code: it may cost the content, never the call
            _log.warning("redact failed with %s: what was said is not in the trace", type(error).__name__)
            return {}


def finish_reason(ours: FinishReason) -> str:
    """In the words of the conventions."""
    return {"tool_calls": "tool_call", "refused": "content_filter"}.get(ours, ours)


def _text(cleaned: object) -> str:
    if not isinstance(cleaned, str):
        raise TypeError("redact has to return a str")
    return cleaned


def _message(message: Message) -> JsonValue:
    return {"role": message.role, "parts": _parts(message.parts)}


def _parts(parts: Iterable[Part]) -> list[JsonValue]:
    return [_part(part) for part in parts]


def _part(part: Part) -> JsonValue:
    match part:
        case Text():
            return {"type": "text", "content": part.text}
        case ToolCall():
            return {"type": "tool_call", "id": part.id, "name": part.name, "arguments": part.arguments}
        case ToolResult():
            return {"type": "tool_call_response", "id": part.id, "response": part.text}
        case Image() | File():
            modality = "image" if isinstance(part, Image) else "file"
            where = {"type": "uri", "uri": part.url} if part.url else {"type": "blob"}  # bytes are too much for a span
            return {**where, "modality": modality, "mime_type": part.media_type}
