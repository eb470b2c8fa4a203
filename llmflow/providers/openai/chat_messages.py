"""Messages of Chat Completions requests."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from llmflow.errors import ErrorDetail, RequestUnsupported
from llmflow.providers.openai.body import Json, address
from llmflow.providers.openai.cache_marks import marked
from llmflow.providers.openai.chat_dialects import ChatDialect
from llmflow.providers.openai.chat_opaque import opaque_fields
from llmflow.types.base import changed
from llmflow.types.messages import Audio, File, Image, Message, Text, ToolCall, ToolResult
from llmflow.types.refs import ModelRef

_AUDIO = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"}


@dataclass(frozen=True)
class ChatMessages:
    """Converts messages for one model."""

    model: str
    """`provider:model`, for errors."""
    dialect: ChatDialect

    def convert(self, messages: Sequence[Message]) -> list[Json]:
        """Convert messages.

        Raises:
            RequestUnsupported: the server cannot be told a part of them.
        """
        said = [one for message in _alternating(messages) for one in self._messages(message)]
        if messages and messages[-1].prefix:
            if self.dialect.prefix is None:
                raise self._unsupported("continues no answer that has begun (`prefix`)")
            said[-1] |= self.dialect.prefix
        return said

    def _messages(self, message: Message) -> Iterator[Json]:
        """Convert a message. Tool results become separate messages; tool calls become a field of the assistant's."""
        content = [self._content(part) for part in message.parts if isinstance(part, Text | Image | File | Audio)]
        calls = [
            {**_call(part), **opaque_fields(message.parts, part.id)}
            for part in message.parts
            if isinstance(part, ToolCall)
        ]
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {"role": "tool", "tool_call_id": part.id, "content": self._result(part)}
        if content or calls:
            turn: Json = {**opaque_fields(message.parts)}
            content = [*cast(list[Json], turn.pop("content", [])), *content]  # thoughts in parts of the content
            yield {"role": message.role, "content": _plain(content), **turn, **({"tool_calls": calls} if calls else {})}

    def _result(self, part: ToolResult) -> object:
        if part.parts and not self.dialect.results:
            raise self._unsupported("takes no pictures and files in the result of a tool")
        text = self._marked({"type": "text", "text": part.text}, part)
        others = [self._content(one) for one in part.parts]
        return _plain([text, *others]) if part.text or not others else others

    def _content(self, part: Text | Image | File | Audio) -> Json:
        match part:
            case Text():
                said: Json = {"type": "text", "text": part.text}
            case Image():
                said = self._image(part)
            case File():
                said = self._file(part)
            case Audio():
                said = self._audio(part)
        return self._marked(said, part)

    def _marked(self, said: Json, part: Text | Image | File | Audio | ToolResult) -> Json:
        return marked(said, part.cache, self.dialect.marks, ModelRef.parse(self.model).model)

    def _image(self, part: Image) -> Json:
        if part.file_id is None:
            return {"type": "image_url", "image_url": {"url": address(part)}}
        if self.dialect.documents == "litellm":
            return {"type": "file", "file": {"file_id": part.file_id, "format": part.media_type}}
        raise self._unsupported("takes no picture by its file id")

    def _file(self, part: File) -> Json:
        if part.url and not self.dialect.files_by_url:
            raise self._unsupported(f"takes no file by URL: give {part.name!r} as `data`, or use `api: responses`")
        match self.dialect.documents:
            case "litellm" if part.url:
                return {"type": "file", "file": {"file_id": part.url}}  # with a format, it would pass for an id
            case "litellm":
                where = {"file_id": part.file_id} if part.file_id else {"file_data": address(part)}
                return {"type": "file", "file": {**where, "filename": part.name, "format": part.media_type}}
            case "document_url" if part.file_id:
                return {"type": "file", "file_id": part.file_id}
            case "document_url":
                return {"type": "document_url", "document_url": address(part), "document_name": part.name}
            case "file" if part.file_id:
                return {"type": "file", "file": {"file_id": part.file_id}}
            case "file":
                return {"type": "file", "file": {"filename": part.name, "file_data": address(part)}}

    def _audio(self, part: Audio) -> Json:
        is_plain = self.dialect.documents == "document_url"
        if part.data is None:
            if is_plain and part.url:
                return {"type": "input_audio", "input_audio": part.url}
            raise self._unsupported("takes audio as `data` alone")
        data = b64encode(part.data).decode()
        kind = _AUDIO.get(part.media_type, part.media_type.rpartition("/")[2])
        return {"type": "input_audio", "input_audio": data if is_plain else {"data": data, "format": kind}}

    def _unsupported(self, what: str) -> RequestUnsupported:
        return RequestUnsupported(
            f"{self.model} was not asked: its server {what}. Add a candidate that can do it to models.yaml",
            ErrorDetail(model=self.model),
        )


def _alternating(messages: Iterable[Message]) -> Iterator[Message]:
    """Yield the messages with those of one role joined: templates of many open models refuse two in a row.

    A prefix stands alone, because the model continues it exactly.
    """
    last: Message | None = None
    for message in messages:
        if last and last.role == message.role and not (last.prefix or message.prefix):
            last = changed(last, parts=(*last.parts, *message.parts))
            continue
        if last:
            yield last
        last = message
    if last:
        yield last


def _plain(content: list[Json]) -> object:
    """Convert text-only content to a string: some servers accept nothing else."""
    if all(part.keys() == {"type", "text"} for part in content):
        return "\n".join(str(part["text"]) for part in content) if content else None
    return content


def _call(part: ToolCall) -> Json:
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}
