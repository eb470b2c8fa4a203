"""Content of calls in a trace: only if it is asked for, and redacted first."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping

from pydantic import JsonValue

from llmflow.telemetry import genai
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.messages import Audio, File, Image, Opaque, Part, Text, ToolCall, ToolResult
from llmflow.types.models import FinishReason

Redact = Callable[[str], str]
"""Function from a text to the same text without secrets. It runs on the event loop of the worker: keep it fast."""

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""OpenTelemetry's own variable. `true`, or its newer values that mean spans; anything else means no."""

_MESSAGE = "message"

_log = logging.getLogger("llmflow.telemetry")


class Content:
    """Makes attributes of content; none at all unless the environment asks for them."""

    def __init__(self, environ: Mapping[str, str], redact: Redact | None = None) -> None:
        self.captured = environ.get(CAPTURE, "").strip().lower() in {"true", "span_only", "span_and_event"}
        self._redact = redact

    def of_request(self, request: CompletionRequest) -> dict[str, str]:
        """Return the variables, and the messages after the prompt, whose own text is found by its version."""
        if not self.captured:
            return {}
        said: JsonValue = [{"role": one.role, "parts": _parts(one.parts)} for one in request.messages]
        return self._clean({genai.VARIABLES: request.variables or None, genai.INPUT_MESSAGES: said or None})

    def of_result(self, result: CompletionResult) -> dict[str, str]:
        """Return the answer."""
        if not self.captured:
            return {}
        said: tuple[Part, ...] = (Text(text=result.text),) if result.text else ()
        answer: JsonValue = {
            "role": "assistant",
            "parts": _parts((*said, *result.tool_calls)),
            "finish_reason": finish_reason(result.finish_reason),
        }
        return self._clean({genai.OUTPUT_MESSAGES: [answer]})

    def of_arguments(self, arguments: JsonValue) -> dict[str, str]:
        """Return the arguments of a tool."""
        return self._clean({genai.TOOL_ARGUMENTS: arguments}) if self.captured else {}

    def of_tool_result(self, result: JsonValue) -> dict[str, str]:
        """Return the result of a tool."""
        return self._clean({genai.TOOL_RESULT: result}) if self.captured else {}

    def of_error(self, error: BaseException) -> str | None:
        """Return the message of an error, which may quote an answer or an input."""
        return self._clean({_MESSAGE: str(error)}).get(_MESSAGE) if self.captured else None

    def _clean(self, values: dict[str, JsonValue]) -> dict[str, str]:
        try:
            return {name: self._text(value) for name, value in values.items() if value is not None}
        except Exception as error:  # `redact` is the user's code: its failure costs the content, never the call
            _log.warning("content of a call is not in the trace: redact failed with %s", type(error).__name__)
            return {}

    def _text(self, value: JsonValue) -> str:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        text = text.encode(
            errors="replace"
        ).decode()  # half a surrogate pair would make the exporter drop its whole batch
        return self._redact(text) if self._redact else text


def finish_reason(ours: FinishReason) -> str:
    """Translate messages into the words of the conventions."""
    return {"tool_calls": "tool_call", "refused": "content_filter"}.get(ours, ours)


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
        case Opaque():
            return {"type": "reasoning", "content": f"(only {part.vendor} reads it)"}
        case Image() | File() | Audio():
            modality = part.type
            where = {"type": "uri", "uri": part.url} if part.url else {"type": "blob"}  # bytes are too much for a span
            return {**where, "modality": modality, "mime_type": part.media_type}
