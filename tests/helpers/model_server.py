"""A vendor of models on this machine: real HTTP, canned answers, and every way in which a vendor can misbehave.

In a test:

    async with ModelServer() as server:
        server.script(Reply.error(429, headers={"retry-after": "2"}), Reply.text("hello"))
        ...                                     # point a client at server.url
        assert server.requests[0].json["model"] == "gpt-5.4"

As a process of its own, for benchmarks; it prints its port, and `GET /stats` counts:

    python -m tests.helpers.model_server --port 0 --delay 0.02
"""

import argparse
import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from ssl import SSLContext
from typing import Any, Literal, Self

Json = dict[str, Any]  # Any: whatever a vendor writes


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Behaviour of the server for one request."""

    status: int = 200
    body: bytes = b""
    answer: str | None = None
    """Instead of `body`: a good answer with this text, in the shape of the requested path, streamed if asked for."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    delay: float = 0.0
    """Seconds before the first byte."""
    send: int | None = None
    """Bytes of the whole reply, head included, that are really sent; negative: all but the last; `None` for all."""
    pause: float = 0.0
    """Seconds after which the rest is sent, too."""
    then: Literal["keep", "close", "reset", "stall"] = "keep"
    """After the last byte: keep the connection, close it, reset it, or send nothing more."""

    @classmethod
    def text(cls, text: str, *, delay: float = 0.0) -> Self:
        return cls(answer=text, delay=delay)

    @classmethod
    def json(cls, body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Self:
        return cls(status=status, body=json.dumps(body).encode(), headers=headers or {})

    @classmethod
    def stream(cls, *events: object, pause: float = 0.0) -> Self:
        """Return server-sent events; the last one comes after the pause."""
        before, last = sse(*events[:-1]), sse(*events[-1:])
        headers = {"content-type": "text/event-stream"}
        sent = _head(200, len(before + last), headers) + before
        return cls(body=before + last, headers=headers, send=len(sent) if pause else None, pause=pause)

    @classmethod
    def error(
        cls, status: int, code: str | None = None, message: str = "it failed", headers: Mapping[str, str] | None = None
    ) -> Self:
        return cls.json({"error": {"message": message, "type": "an_error", "code": code}}, status, headers)


SILENCE = Reply(send=0, then="stall")
"""Take the request, and never answer."""
DROPPED = Reply(send=0, then="close")
RESET = Reply(send=0, then="reset")


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> Json:
        return json.loads(self.body)


def responses_answer(text: str = "ok", **changes: object) -> Json:
    """Return a good answer of the Responses API, with some fields changed."""
    content = {"type": "output_text", "text": text, "annotations": []}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "gpt-5.4-2026-03-05",
        "output": [
            {"id": "rs_1", "type": "reasoning", "summary": []},
            {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [content]},
        ],
        "parallel_tool_calls": True,
        "service_tier": "default",
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 20,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 120,
        },
        **changes,
    }


def chat_answer(text: str | None = "ok", *, message: Json | None = None, **changes: object) -> Json:
    """Return a good answer of Chat Completions, with some fields changed."""
    finish = changes.pop("finish_reason", "stop")
    said = {"role": "assistant", "content": text, **(message or {})}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "gpt-5.4-2026-03-05",
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        **changes,
    }


DONE = "[DONE]"


def responses_events(answer: Json) -> Iterator[Json]:
    """Return the stream of the Responses API for this answer."""
    begun = {**answer, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    for at, item in enumerate(answer["output"]):
        for part in item.get("content", ()):
            for delta in _pieces(part.get("text") or part.get("refusal") or ""):
                yield {"type": f"response.{part['type']}.delta", "output_index": at, "delta": delta}
        if "arguments" in item:
            yield {"type": "response.function_call_arguments.delta", "output_index": at, "delta": item["arguments"]}
        yield {"type": "response.output_item.done", "output_index": at, "item": item}
    yield {"type": f"response.{answer['status']}", "response": answer}


def chat_chunks(answer: Json) -> Iterator[object]:
    """Return the stream of Chat Completions for this answer."""
    about = {name: value for name, value in answer.items() if name not in ("choices", "usage")}
    about["object"] = "chat.completion.chunk"
    for choice in answer["choices"]:
        said = choice["message"]
        calls = [
            {**call, "index": at, "function": {**call["function"], "arguments": ""}}
            for at, call in enumerate(said.get("tool_calls") or ())
        ]
        deltas: list[Json] = [{"role": "assistant", "content": ""}]
        deltas += [{name: piece} for name in ("content", "refusal") for piece in _pieces(said.get(name) or "")]
        deltas += [{"tool_calls": [call]} for call in calls]
        deltas += [
            {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}
            for at, call in enumerate(said.get("tool_calls") or ())
            for piece in _pieces(call["function"]["arguments"])
        ]
        for delta in deltas:
            yield {**about, "choices": [{"index": choice["index"], "delta": delta, "finish_reason": None}]}
        yield {**about, "choices": [{"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]}]}
    yield {**about, "choices": [], "usage": answer.get("usage")}
    yield DONE


def _pieces(text: Any) -> list[Any]:
    """Split a text into pieces of 7 characters; return any other value whole."""
    return [text[at : at + 7] for at in range(0, len(text), 7)] if isinstance(text, str) else [text]


def sse(*events: object) -> bytes:
    """Encode as `text/event-stream`. Text stays as it is."""
    data = (event if isinstance(event, str) else json.dumps(event) for event in events)
    return "".join(f"data: {one}\n\n" for one in data).encode()


def _head(status: int, length: int, headers: Mapping[str, str]) -> bytes:
    given = {"content-type": "application/json", "content-length": str(length), **headers}
    if "transfer-encoding" in headers:
        del given["content-length"]
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n".encode()


class ModelServer:
    """Answers from the script as long as it lasts, then with `default`."""

    def __init__(
        self, default: Reply | None = None, *, port: int = 0, record: bool = True, tls: SSLContext | None = None
    ) -> None:
        self.default = default or Reply.text("ok")
        self.port = port
        self.requests: list[Received] = []
        self.count = 0
        self.connections = 0
        """Number of connections ever opened."""
        self.abandoned = 0
        """Requests whose client went away before the answer was complete."""
        self._record = record
        self._tls = tls
        self._script: deque[Reply] = deque()
        self._news = asyncio.Event()
        self._connections: set[_Connection] = set()
        self._encoded: dict[tuple[str, int, bool], bytes] = {}

    @property
    def url(self) -> str:
        """Return the `base_url` of a client."""
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, *replies: Reply) -> None:
        self._script.extend(replies)

    async def arrived(self, count: int) -> None:
        """Wait until this many requests have come."""
        while self.count < count:
            self._news.clear()
            await self._news.wait()

    async def left(self, count: int = 1) -> None:
        """Wait until this many clients have gone away without their answer."""
        while self.abandoned < count:
            self._news.clear()
            await self._news.wait()

    async def alone(self) -> None:
        """Wait until all requests of clients have come, and all clients have gone away."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"GET /stats HTTP/1.1\r\n\r\n")
        await reader.readline()  # clients that connected earlier have been let in
        writer.close()
        while self._connections:
            self._news.clear()
            await self._news.wait()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", self.port, backlog=1024, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in tuple(self._connections):
            connection.transport.abort()
        await self._server.wait_closed()

    def opened(self, connection: "_Connection") -> None:
        self.connections += 1
        self._connections.add(connection)

    def closed(self, connection: "_Connection", *, unanswered: bool) -> None:
        self._connections.discard(connection)
        self.abandoned += unanswered
        self._news.set()

    def reply_to(self, request: Received) -> Reply:
        if request.path == "/stats":
            return Reply.json({"requests": self.count, "abandoned": self.abandoned})
        self.count += 1
        if self._record:
            self.requests.append(request)
        self._news.set()
        return self._script.popleft() if self._script else self.default

    def encode(self, reply: Reply, path: str, streamed: bool) -> bytes:
        """Return the bytes of a reply; those of the default are built once per path."""
        key = (path, id(reply), streamed)
        if (known := self._encoded.get(key)) is not None:
            return known
        if reply.answer is not None:
            of_chat = path.endswith("/chat/completions")
            reply = _streamed(reply, of_chat) if streamed else _whole(reply, of_chat)
        data = _head(reply.status, len(reply.body), reply.headers) + reply.body
        if key[1] == id(self.default):
            self._encoded[key] = data
        return data


def _whole(reply: Reply, of_chat: bool) -> Reply:
    answer = (chat_answer if of_chat else responses_answer)(reply.answer or "")
    return replace(reply, body=json.dumps(answer).encode())


def _streamed(reply: Reply, of_chat: bool) -> Reply:
    text = reply.answer or ""
    events = chat_chunks(chat_answer(text)) if of_chat else responses_events(responses_answer(text))
    return replace(Reply.stream(*events), delay=reply.delay, send=reply.send, then=reply.then)


class _Connection(asyncio.Protocol):
    """One client. A bare protocol and no streams: at 100 clients the server must not dominate the measurement."""

    transport: asyncio.Transport

    def __init__(self, server: ModelServer) -> None:
        self._server = server
        self._buffer = b""
        self._unanswered = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._server.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._server.closed(self, unanswered=self._unanswered)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        method, path, _ = first.split(" ")
        self._take(Received(method, path, headers, rest[:length]))

    def _take(self, request: Received) -> None:
        reply = self._server.reply_to(request)
        self._unanswered = True
        data = self._server.encode(reply, request.path.partition("?")[0], b'"stream":true' in request.body)
        if reply.delay:
            self._timer = asyncio.get_running_loop().call_later(reply.delay, self._send, reply, data)
        else:
            self._send(reply, data)

    def _send(self, reply: Reply, data: bytes) -> None:
        if reply.send != 0:
            self.transport.write(data[: reply.send])
        if reply.pause:
            self._timer = asyncio.get_running_loop().call_later(reply.pause, self.transport.write, data[reply.send :])
        if reply.then == "stall":
            return
        self._unanswered = False
        if reply.then == "close":
            self.transport.close()
        elif reply.then == "reset":
            linger = struct.pack("ii", 1, 0)  # on, for 0 s: unsent bytes are dropped, and the client notices
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.transport.abort()


async def _main() -> None:
    parser = argparse.ArgumentParser(description="A model server that answers the same text to everything.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--text", default="ok", help="what it answers")
    options = parser.parse_args()
    default = Reply.text(options.text, delay=options.delay)
    async with ModelServer(default, port=options.port, record=False) as server:
        print(server.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main())
