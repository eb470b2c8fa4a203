"""Streamed answers of Chat Completions."""

import json
from dataclasses import dataclass, field

from pydantic import BaseModel, JsonValue

from llmflow.providers.dialects.complaints import first_error
from llmflow.providers.dialects.lenient import ArgumentsPiece, Index, Object, Objects, Word, Written
from llmflow.providers.dialects.usage.merging import merged
from llmflow.providers.openai.body import Json
from llmflow.providers.openai.chat import Spoken
from llmflow.providers.openai.chat_opaque import JoinedThoughts, Signed
from llmflow.providers.openai.joined import Joined
from llmflow.types.providers import DeltaSink


class _FunctionDelta(BaseModel):
    name: Written = None
    arguments: ArgumentsPiece = ""


class _CallDelta(Signed):
    index: Index = None
    id: Word = None
    function: Object[_FunctionDelta] = _FunctionDelta()


class _Delta(Spoken):
    refusal: Written = None
    tool_calls: Objects[_CallDelta] = ()
    annotations: object = None
    executed_tools: object = None


class _ChoiceDelta(BaseModel):
    index: Index = None
    delta: Object[_Delta] = _Delta()
    finish_reason: Word = None
    error: object = None
    usage: object = None
    """Usage so far, where Moonshot puts it."""


class _Chunk(BaseModel):
    choices: Objects[_ChoiceDelta] = ()
    id: Word = None
    model: Word = None
    service_tier: Word = None
    usage: object = None
    """Usage so far; usually only in the last chunk."""
    error: object = None


@dataclass
class _PartialCall:
    """A tool call, so far."""

    index: int
    id: str | None = None
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])
    signed: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    def take(self, delta: _CallDelta) -> None:
        """Add a piece. Id and name come once or in every piece; the arguments are appended."""
        self.id = self.id or delta.id
        self.name = self.name or delta.function.name or ""
        self.arguments.append(delta.function.arguments)
        self.signed |= delta.kept

    def goes_on(self, delta: _CallDelta) -> bool:
        """Return False for the beginning of another call, though it has the same index, as in Gemini's streams."""
        if delta.id and self.id:  # some servers give each piece an id of its own
            return delta.id == self.id or not delta.function.name
        begins = bool(self.name and delta.function.name and delta.function.arguments)
        return not (begins and _is_json("".join(self.arguments)))

    @property
    def whole(self) -> Json:
        return {"id": self.id, "function": {"name": self.name, "arguments": "".join(self.arguments)}, **self.signed}


class ChatChunks(Joined):
    """Joins deltas, and merges the usage. Of all other fields, the last non-empty value counts."""

    def __init__(self, sink: DeltaSink) -> None:
        super().__init__(sink)
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._thoughts = JoinedThoughts()
        self._calls: list[_PartialCall] = []
        self._ran: Json = {}
        self._finish_reason: str | None = None
        self._has_begun = False
        self._is_billed = False
        self._error: object = None

    @property
    def whole(self) -> Json | None:
        """See base class."""
        if self._error:
            return {**self.so_far, "error": self._error}
        is_over = self._has_begun and (self.is_over or self._is_billed)
        if self._finish_reason is None and not is_over:
            return None
        text, thinking = "".join(self._text), self._thoughts.parts
        message = {
            "content": [*thinking, {"type": "text", "text": text}] if thinking else text,
            "refusal": "".join(self._refusal) or None,
            **self._thoughts.whole,
            "tool_calls": [call.whole for call in sorted(self._calls, key=lambda call: call.index)] or None,
            **self._ran,
        }
        return {**self.so_far, "choices": [{"message": message, "finish_reason": self._finish_reason}]}

    def _add(self, event: object) -> bool:
        chunk = _Chunk.model_validate(event)
        about = {"id": chunk.id, "model": chunk.model, "service_tier": chunk.service_tier}
        self.so_far |= {name: value for name, value in about.items() if value}
        first = next((choice for choice in chunk.choices if not choice.index), _ChoiceDelta())
        self.so_far["usage"] = merged(merged(self.so_far.get("usage"), first.usage), chunk.usage)
        self._error = first_error(self._error, chunk.error, first.error)
        self._finish_reason = first.finish_reason or self._finish_reason
        self._has_begun = self._has_begun or bool(chunk.choices)
        self._is_billed = bool(chunk.usage and not chunk.choices)  # the last chunk has the usage alone
        return self._hear(first.delta)

    def _hear(self, said: _Delta) -> bool:
        if said.text:
            self._text.append(said.text)
            self._sink.text(said.text)
        self._refusal.append(said.refusal or "")
        ran = {"annotations": said.annotations, "executed_tools": said.executed_tools}
        self._ran |= {name: value for name, value in ran.items() if value}
        self._thoughts.take(said)
        for part in said.thinking:
            self._thoughts.take_part(part)
        for delta in said.tool_calls:
            self._call(delta).take(delta)
        thinks = said.reasoning_content or said.reasoning or said.reasoning_details
        return bool(said.content or said.refusal or said.tool_calls or thinks)

    def _call(self, delta: _CallDelta) -> _PartialCall:
        """Find the call of a piece, or begin another one."""
        begun = [call for call in self._calls if delta.index in (None, call.index) and call.goes_on(delta)]
        if begun:
            return begun[-1]
        last = max((call.index for call in self._calls), default=-1)
        self._calls.append(_PartialCall(last + 1 if delta.index is None else delta.index))
        return self._calls[-1]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
