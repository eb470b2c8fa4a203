"""Messages to and from a model: a role, and parts of text, images, files, audio, tool calls and tool results."""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from llmflow.errors import ToolArgumentsInvalid
from llmflow.types.base import CompactWire, changed

__all__ = ["Part", "Role"]

Role = Literal["system", "user", "assistant"]
Cache = Literal["5m", "1h"]


class _Cached(CompactWire):
    """A part that may end the cached beginning of a request."""

    cache: Cache | None = None
    """Lifetime for which the vendor caches the request up to the end of this part, for vendors that want such marks.

    A mark changes the price and no answer, so a vendor without marks gets none.
    """


class Text(_Cached):
    """Plain text."""

    type: Literal["text"] = "text"
    text: str


class _Source(_Cached):
    """Source of bytes: exactly one of `url`, `data` and `file_id`."""

    url: str | None = None
    """An address that the vendor fetches."""
    data: bytes | None = None
    """The bytes themselves (base64 on the wire). Temporal refuses large payloads: prefer `url`."""
    file_id: str | None = None
    """Id of a file that was uploaded to the vendor. Other vendors do not have it."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.url, self.data, self.file_id].count(None) != 2:
            raise ValueError("give exactly one of `url`, `data` and `file_id`")
        return self


class Image(_Source):
    """A picture for a model with image input."""

    type: Literal["image"] = "image"
    media_type: str = "image/png"


class File(_Source):
    """A document, such as a PDF, for a model with file input."""

    type: Literal["file"] = "file"
    name: str
    media_type: str = "application/pdf"


class Audio(_Source):
    """Speech or other sound, for a model with audio input."""

    type: Literal["audio"] = "audio"
    media_type: str = "audio/wav"


class ToolCall(CompactWire):
    """A model's request to call a tool. Run it with `flow.call_tool`, answer with a `ToolResult` of the same `id`."""

    type: Literal["tool_call"] = "tool_call"
    id: str
    name: str
    arguments: str
    """A JSON object as the model wrote it, not validated yet."""

    def values(self) -> dict[str, JsonValue]:
        """Parse the arguments by name, for `flow.call_tool(tool, **call.values())`. The tool validates them.

        Raises:
            ToolArgumentsInvalid: the model did not write a JSON object. Send it the message as the tool's result.
        """
        try:
            values: JsonValue = json.loads(self.arguments.strip() or "{}")  # some vendors write nothing for none
        except ValueError as error:
            raise ToolArgumentsInvalid(f"arguments of tool {self.name!r} are no JSON: {error}") from None
        if not isinstance(values, dict):
            raise ToolArgumentsInvalid(f"arguments of tool {self.name!r} are no JSON object: {self.arguments[:100]}")
        return values


class ToolResult(_Cached):
    """The result of a tool call, for the model that requested it."""

    type: Literal["tool_result"] = "tool_result"
    id: str
    text: str
    parts: tuple[Annotated[Image | File, Field(discriminator="type")], ...] = ()
    """Pictures and files after the text."""


class Opaque(CompactWire):
    """Fields of a model's turn that only its vendor reads, such as signed thoughts: kept verbatim, and sent back to it.

    Without them, vendors refuse the next round of a tool loop with a model that thinks. No other vendor gets them.
    """

    type: Literal["opaque"] = "opaque"
    vendor: str
    """`ModelRef.vendor` of the model."""
    call: str | None = None
    """Id of the tool call that it belongs to; `None` for the turn."""
    content: dict[str, JsonValue]
    """Fields of the vendor's message or tool call; of the Responses API, an item before it if it has a `type`."""


Part = Annotated[Text | Image | File | Audio | ToolCall | ToolResult | Opaque, Field(discriminator="type")]


class Message(CompactWire):
    """A message of one role, in parts."""

    role: Role
    parts: tuple[Part, ...]
    prefix: bool = False
    """True for the beginning of the answer, which the model continues. It counts only in the last message."""

    @model_validator(mode="after")
    def _is_text_of_the_model(self) -> Self:
        if self.prefix and (self.role != "assistant" or not all(isinstance(part, Text) for part in self.parts)):
            raise ValueError("only text of the assistant can be a `prefix`")
        return self

    @classmethod
    def user(cls, *parts: str | Part) -> "Message":
        """Make a message of the user; strings become `Text`."""
        return cls(role="user", parts=_parts(parts))

    @classmethod
    def assistant(cls, *parts: str | Part, prefix: bool = False) -> "Message":
        """Make a message of the model: an earlier answer, or with `prefix` the beginning of its next one."""
        return cls(role="assistant", parts=_parts(parts), prefix=prefix)

    @classmethod
    def system(cls, *parts: str | Part) -> "Message":
        """Make a system message: an instruction above the conversation."""
        return cls(role="system", parts=_parts(parts))

    @property
    def text(self) -> str:
        """The text parts, one a line."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))


def turn_of(text: str, calls: Iterable[ToolCall], opaque: Sequence[Opaque]) -> Message:
    """Make the message of a model's whole turn, with every opaque part before what it belongs to."""
    parts: list[Part] = [part for part in opaque if part.call is None]
    if text:  # vendors refuse a message without text
        parts.append(Text(text=text))
    for call in calls:
        parts += [*(part for part in opaque if part.call == call.id), call]
    return Message(role="assistant", parts=tuple(parts))


def told(messages: Iterable[Message], vendor: str) -> tuple[Message, ...]:
    """Return the messages that a vendor gets: without the opaque parts of others, and without an answered prefix."""
    given = tuple(messages)
    unanswered = (message for at, message in enumerate(given, 1) if not message.prefix or at == len(given))
    ours = (without_opaque(message, but_of=vendor) for message in unanswered)
    return tuple(message for message in ours if message.parts)


def prefix_of(messages: Sequence[Message]) -> str:
    """Return the beginning of the answer that the model continues; empty if there is none."""
    return messages[-1].text if messages and messages[-1].prefix else ""


def continued(prefix: str, text: str) -> str:
    """Return a whole answer. Some vendors repeat the prefix in it, and others do not."""
    return text if text.startswith(prefix) else prefix + text


def without_opaque(message: Message, *, but_of: str | None = None) -> Message:
    """Return a message without what only vendors read, or with that of one vendor alone."""
    kept = tuple(part for part in message.parts if not isinstance(part, Opaque) or part.vendor == but_of)
    return message if len(kept) == len(message.parts) else changed(message, parts=kept)


def _parts(parts: tuple[str | Part, ...]) -> tuple[Part, ...]:
    return tuple(Text(text=part) if isinstance(part, str) else part for part in parts)
