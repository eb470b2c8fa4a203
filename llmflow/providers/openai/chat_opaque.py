"""Fields of Chat Completions that a vendor wants back in the next round of a tool loop.

Gemini      `extra_content` of a tool call, with `google.thought_signature`
DeepSeek    `reasoning_content`; Kimi, xAI, vLLM and others alike, some as `reasoning`
Mistral     parts of the content, of type `thinking`
OpenRouter  `reasoning_details`, whatever the vendor behind it signs or encrypts
litellm     `thinking_blocks` of Anthropic; `provider_specific_fields` of a tool call, with Gemini's signature
"""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, JsonValue

from llmflow.types.messages import Opaque, Part

THINKING = "thinking"

_Text = Annotated[str | None, BeforeValidator(lambda text: text if isinstance(text, str) else None)]


class Signed(BaseModel):
    """A tool call, or a piece of one, with what its vendor signed."""

    extra_content: JsonValue = None
    provider_specific_fields: JsonValue = None

    @property
    def kept(self) -> dict[str, JsonValue]:
        """The fields to send back."""
        return _full(extra_content=self.extra_content, provider_specific_fields=self.provider_specific_fields)


class Thoughts(BaseModel):
    """A message, or a piece of one, with the thoughts before it."""

    reasoning_content: _Text = None
    reasoning: _Text = None
    reasoning_details: JsonValue = None
    thinking_blocks: JsonValue = None
    extra_content: JsonValue = None

    @property
    def kept(self) -> dict[str, JsonValue]:
        """The fields to send back. Thoughts with a structure have their plain text in it.

        An empty `reasoning_content` stays: DeepSeek refuses a turn that has lost the field.
        """
        kept = _full(
            reasoning_details=self.reasoning_details,
            thinking_blocks=self.thinking_blocks,
            extra_content=self.extra_content,
        )
        if "reasoning_details" in kept or "thinking_blocks" in kept:
            return kept
        plain = {"reasoning_content": self.reasoning_content, "reasoning": self.reasoning}
        first = next(((name, text) for name, text in plain.items() if text is not None), None)
        return {**kept, first[0]: first[1]} if first else kept


def _full(**fields: JsonValue) -> dict[str, JsonValue]:
    return {name: value for name, value in fields.items() if value}


def opaque_fields(parts: Iterable[Part], call: str | None = None) -> dict[str, JsonValue]:
    """Return the kept fields of a turn, or of one of its tool calls."""
    opaque = (part for part in parts if isinstance(part, Opaque) and part.call == call)
    return {name: value for part in opaque for name, value in part.content.items()}


_TEXTS = frozenset({"text", "summary"})


class JoinedThoughts:
    """The thoughts of a streamed turn, joined."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._others: dict[str, JsonValue] = {}
        self._details: list[dict[str, JsonValue]] = []
        self._parts: list[dict[str, JsonValue]] = []

    @property
    def parts(self) -> list[dict[str, JsonValue]]:
        """The thoughts in parts of the content."""
        return [{**part, THINKING: _joined(part.get(THINKING))} for part in self._parts]

    def take_part(self, part: JsonValue) -> None:
        """Add a part of the content; it continues the one before it."""
        if not isinstance(part, dict):
            return
        if not self._parts:
            self._parts.append({**part, THINKING: []})
        begun, more = self._parts[-1].get(THINKING), part.get(THINKING)
        self._parts[-1] |= {
            **part,
            THINKING: [*(begun if isinstance(begun, list) else []), *(more if isinstance(more, list) else [])],
        }

    @property
    def whole(self) -> dict[str, JsonValue]:
        """The fields so far, as in a message that is not streamed."""
        details: dict[str, JsonValue] = {"reasoning_details": [*self._details]} if self._details else {}
        return {**{name: "".join(texts) for name, texts in self._texts.items()}, **self._others, **details}

    def take(self, piece: Thoughts) -> None:
        """Add a piece. Texts are appended; of other fields, the last one counts."""
        plain = {"reasoning_content": piece.reasoning_content, "reasoning": piece.reasoning}
        for name, text in plain.items():
            if text is not None:
                self._texts.setdefault(name, []).append(text)
        self._others |= _full(thinking_blocks=piece.thinking_blocks, extra_content=piece.extra_content)
        if isinstance(piece.reasoning_details, list):
            for detail in piece.reasoning_details:
                if isinstance(detail, dict):
                    self._add(detail)

    def _add(self, detail: dict[str, JsonValue]) -> None:
        """Append the text of a detail to the one that it continues; what is encrypted comes whole."""
        last = self._details[-1] if self._details else {}
        same = all(last.get(name) == detail.get(name) for name in ("type", "index"))
        if not last or not same or "data" in detail:
            self._details.append(dict(detail))
            return
        for name, value in detail.items():
            begun = last.get(name)
            if name in _TEXTS and isinstance(begun, str) and isinstance(value, str):
                last[name] = begun + value
            elif value is not None:
                last[name] = value


def _joined(pieces: JsonValue) -> JsonValue:
    """Join texts that follow each other."""
    joined: list[JsonValue] = []
    for piece in pieces if isinstance(pieces, list) else []:
        last = joined[-1] if joined else None
        if isinstance(piece, dict) and isinstance(last, dict) and last.get("type") == piece.get("type") == "text":
            joined[-1] = {**last, "text": f"{last.get('text', '')}{piece.get('text', '')}"}
        else:
            joined.append(piece)
    return joined
