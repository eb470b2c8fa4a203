"""Input items of Responses API requests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmflow.errors import ErrorDetail, RequestUnsupported
from llmflow.providers.hosts import is_at
from llmflow.providers.openai.body import Json, address
from llmflow.providers.openai.cache_marks import Marks, marked
from llmflow.types.messages import Audio, File, Image, Message, Opaque, Text, ToolCall, ToolResult
from llmflow.types.refs import ModelRef

_WITH_MARKS = ("openai.com", "openai.azure.com", "services.ai.azure.com")


@dataclass(frozen=True)
class ResponseInput:
    """Converts messages for one model."""

    model: str
    """`provider:model`, for errors."""
    base_url: str

    def convert(self, messages: Sequence[Message]) -> list[Json]:
        """Convert messages.

        Raises:
            RequestUnsupported: the API cannot be told a part of them.
        """
        if messages and messages[-1].prefix:
            raise self._unsupported("continues no answer that has begun (`prefix`)")
        return [item for message in messages for item in self._items(message)]

    def _items(self, message: Message) -> Iterator[Json]:
        """Convert a message. Tool calls and results become separate items; parts between them become one message."""
        content: list[Json] = []
        fields: Json = {}
        for part in message.parts:
            if isinstance(part, Opaque) and "type" not in part.content:
                fields |= part.content
            elif isinstance(part, ToolCall | ToolResult | Opaque):
                yield from _spoken(message, content, fields)
                content, fields = [], {}
                yield self._item(part)
            else:
                content.append(self._content(part, message))
        yield from _spoken(message, content, fields)

    def _item(self, part: ToolCall | ToolResult | Opaque) -> Json:
        if isinstance(part, Opaque):
            return dict(part.content)
        if isinstance(part, ToolCall):
            return {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": part.arguments}
        return {"type": "function_call_output", "call_id": part.id, "output": self._output(part)}

    def _output(self, part: ToolResult) -> object:
        text = self._marked({"type": "input_text", "text": part.text}, part)
        if not part.parts and text.keys() == {"type", "text"}:
            return part.text
        others = [self._content(one) for one in part.parts]
        return [text, *others] if part.text else others

    def _content(self, part: Text | Image | File | Audio, message: Message | None = None) -> Json:
        match part:
            case Text() if message and message.role == "assistant":
                return {"type": "output_text", "text": part.text}  # only input has marks
            case Text():
                said: Json = {"type": "input_text", "text": part.text}
            case Image():
                where = {"file_id": part.file_id} if part.file_id else {"image_url": address(part)}
                said = {"type": "input_image", **where, "detail": "auto"}
            case File() if part.file_id:
                said = {"type": "input_file", "file_id": part.file_id}
            case File() if part.url:
                said = {"type": "input_file", "file_url": part.url}
            case File():
                said = {"type": "input_file", "filename": part.name, "file_data": address(part)}
            case Audio():
                raise self._unsupported("takes no audio: use `api: chat`")
        return self._marked(said, part)

    def _marked(self, said: Json, part: Text | Image | File | Audio | ToolResult) -> Json:
        marks: Marks | None = "prompt_cache_breakpoint" if is_at(self.base_url, *_WITH_MARKS) else None
        return marked(said, part.cache, marks, ModelRef.parse(self.model).model)

    def _unsupported(self, what: str) -> RequestUnsupported:
        return RequestUnsupported(
            f"{self.model} was not asked: the Responses API {what}. Or add a candidate that can do it to models.yaml",
            ErrorDetail(model=self.model),
        )


def _spoken(message: Message, content: list[Json], fields: Json) -> Iterator[Json]:
    if content:
        yield {"role": message.role, "content": content, **fields}
