"""A vendor on this machine, which speaks as its documentation shows it.

Each vendor has a module with the shapes of its answers, their sources beside them. Its server answers a question, a
typed question, and a tool loop of three rounds, in which it refuses a turn that has lost its thoughts.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from llmflow.errors import ProviderError
from llmflow.providers.openai.chat_provider import ChatProvider
from llmflow.types.models import AnswerMode
from llmflow.types.providers import ProviderFactory
from tests.helpers.model_server import DONE, Json, ModelServer, Received, Reply

ROUNDS = 3
"""Tool calls, one after the other, before the answer."""
TEXT = "It is three."
TYPED = '{"steps": ["a", "b"]}'
PIECE = 5
"""Characters of a streamed piece."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A documented error, and what it has to become."""

    status: int
    body: object
    kind: type[ProviderError]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    wait: float | None = None
    """Seconds that it asks to wait."""


class Vendor(ABC):
    """Answers and errors of a vendor."""

    name: ClassVar[str]
    model: ClassVar[str]
    path: ClassVar[str] = "/v1"
    """Path of the base URL."""
    sources: ClassVar[tuple[str, ...]]
    """Pages and public reports of the shapes."""
    failures: ClassVar[tuple[Failure, ...]]
    refusal: ClassVar[Json | None] = None
    """A whole answer in which the model refuses; `None` for a vendor whose models refuse in words alone."""
    thinks: ClassVar[bool] = True
    """False for a vendor that wants nothing back."""
    streams: ClassVar[bool] = True
    mode: ClassVar[AnswerMode] = "json_schema"
    """The first mode of typed answers that the vendor does not refuse."""
    connect: ClassVar[ProviderFactory] = ChatProvider

    @abstractmethod
    def answer(self, asked: Json) -> Json | Reply:
        """Return the whole answer to a request, or its refusal."""

    @abstractmethod
    def events(self, answer: Json) -> Iterable[object]:
        """Return the stream of a whole answer."""

    def reply(self, asked: Json) -> Reply:
        answer = self.answer(asked)
        if isinstance(answer, Reply):
            return answer
        return Reply.stream(*self.events(answer)) if asked.get("stream") else Reply.json(answer)


def chat_whole(model: str, message: Json, finish_reason: str) -> Json:
    """Return an answer of Chat Completions."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1764500000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42},
    }


def says(message: str, kind: str | None = "invalid_request_error", code: str | int | None = None) -> Json:
    """Return an error in OpenAI's format."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


class ChatVendor(Vendor):
    """A vendor with Chat Completions."""

    lost: ClassVar[Failure | None] = None
    """The error for a turn that has lost its thoughts."""

    def thoughts(self, n: int) -> Json:
        """Return the fields of the message with the n-th tool call that have to come back."""
        return {}

    def signed(self, n: int) -> Json:
        """Return the fields of the n-th tool call that have to come back."""
        return {}

    def message(self, n: int, **fields: Any) -> Json:
        """Return a message of the vendor."""
        return {"role": "assistant", **self.thoughts(n), **fields}

    def whole(self, message: Json, finish_reason: str) -> Json:
        """Return an answer with a message."""
        return chat_whole(self.model, message, finish_reason)

    def answer(self, asked: Json) -> Json | Reply:
        messages = asked["messages"]
        for n, turn in enumerate(message for message in messages if message.get("tool_calls")):
            if self.lost and not self.has_all(turn, n):
                return Reply.json(self.lost.body, self.lost.status)
        if isinstance(choice := asked.get("tool_choice"), dict):
            function = {"name": choice["function"]["name"], "arguments": TYPED}
            call = {"id": "call_0", "type": "function", "function": function}
            return self.whole(self.message(0, content=None, tool_calls=[call]), "tool_calls")
        n = sum(message["role"] == "tool" for message in messages)
        if asked.get("tools") and n < ROUNDS:
            function = {"name": "look_up", "arguments": json.dumps({"n": n})}
            call = {"id": f"call_{n}", "type": "function", "function": function, **self.signed(n)}
            return self.whole(self.message(n, content=None, tool_calls=[call]), "tool_calls")
        typed = "response_format" in asked or "JSON schema" in str(messages[0]["content"])
        return self.whole(self.message(n, content=TYPED if typed else TEXT), "stop")

    def has_all(self, turn: Json, n: int) -> bool:
        """Return True for a turn with everything that the vendor sent with it."""
        call = turn["tool_calls"][0]
        wanted = ((turn, self.thoughts(n)), (call, self.signed(n)))
        return all(said.get(name) == value for said, fields in wanted for name, value in fields.items())

    def events(self, answer: Json) -> Iterator[object]:
        about = {name: answer[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
        choice = answer["choices"][0]
        for delta in self.deltas(choice["message"]):
            yield {**about, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        yield {**about, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
        yield {**about, "choices": [], "usage": answer["usage"]}
        yield DONE

    def deltas(self, message: Json) -> Iterator[Json]:
        """Return the pieces of a message: its thoughts, its text, its calls."""
        yield {"role": "assistant", "content": ""}
        for name, value in message.items():
            if name in {"role", "tool_calls"} or value is None:
                continue
            if not isinstance(value, str):
                yield {name: value}
            for at in range(0, len(value) if isinstance(value, str) else 0, PIECE):
                yield {name: value[at : at + PIECE]}
        for index, call in enumerate(message.get("tool_calls") or ()):
            yield {"tool_calls": [{**call, "index": index}]}


class VendorServer(ModelServer):
    """The server of a vendor, which answers by itself where the script has nothing."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__()
        self._vendor = vendor

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self._vendor.path}"

    def reply_to(self, request: Received) -> Reply:
        reply = super().reply_to(request)
        return self._vendor.reply(request.json) if reply is self.default else reply
