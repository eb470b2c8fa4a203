"""Streamed answers of the Responses API."""

from pydantic import BaseModel

from llmflow.providers.dialects.lenient import Index, Object, Written
from llmflow.providers.openai.body import Json
from llmflow.providers.openai.joined import Joined
from llmflow.types.providers import DeltaSink

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})


class _Event(BaseModel):
    type: Written = None
    response: Object[Json] = {}
    output_index: Index = None
    item: Object[Json] = {}
    delta: object = None


class Events(Joined):
    """Streamed answer. The last event has the whole answer; of some servers, without the items that came before it."""

    def __init__(self, sink: DeltaSink) -> None:
        super().__init__(sink)
        self._items: dict[int, Json] = {}
        self._text: list[str] = []
        self._whole: Json | None = None

    @property
    def whole(self) -> Json | None:
        """See base class."""
        if self._whole is None or self._whole.get("output"):
            return self._whole
        return {**self._whole, "output": [item for _, item in sorted(self._items.items())] or self._message()}

    def _add(self, event: object) -> bool:
        read = _Event.model_validate(event)
        if read.type == "response.output_text.delta" and isinstance(read.delta, str):
            self._text.append(read.delta)
            self._sink.text(read.delta)
        elif read.type == "response.output_item.done" and read.item:
            at = read.output_index if read.output_index is not None else len(self._items)
            self._items[at] = read.item
        elif read.type in _ENDS:
            self._whole = read.response
        return bool(read.type and read.type.endswith(".delta"))

    def _message(self) -> list[Json]:
        """Return the text that came in pieces as a message, for servers that send nothing else."""
        text = "".join(self._text)
        content: list[Json] = [{"type": "output_text", "text": text}]
        return [{"type": "message", "content": content}] if text else []
