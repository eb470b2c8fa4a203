"""Streamed answers: the same as whole ones, and the time to their first token."""

from dataclasses import replace
from time import monotonic, sleep
from typing import Any, Literal

import pytest

from llmflow.errors import ContentRefused, ProviderError, ProviderUnavailable, RateLimited
from llmflow.types.messages import ToolCall
from llmflow.types.models import ModelRequest
from llmflow.types.providers import NoDeltas, Provider
from tests.helpers.model_server import (
    DONE,
    ModelServer,
    Reply,
    chat_answer,
    chat_chunks,
    responses_answer,
    responses_events,
    sse,
)

from ..conftest import Ask

TEXT = "Because the sky is blue; \U0001f600."
CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"query": "why is that"}'}},
    {"id": "c2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
]
CUT = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}


EVENTS = list(responses_events(responses_answer(TEXT)))
CHUNKS = list(chat_chunks(chat_answer(TEXT)))
BROKEN_OFF = "the stream ended before the answer did"
FAILED = {"type": "response.failed", "response": responses_answer(status="failed", error={"code": "server_error"})}
LIMITED = {"code": "rate_limit_exceeded", "message": "slow down"}


def said(kind: str, **fields: object) -> list[dict[str, Any]]:
    return [{"type": "message", "role": "assistant", "content": [{"type": kind, **fields}]}]


@pytest.mark.parametrize(
    "answer",
    [
        responses_answer(TEXT),
        responses_answer(TEXT, **CUT),
        responses_answer(output=said("refusal", refusal="I will not say that.")),
        responses_answer(
            output=[{"type": "function_call", "call_id": "c1", "name": "search", "arguments": '{"query": "x"}'}]
        ),
        responses_answer("half \ud83d"),
    ],
)
async def test_responses(server: ModelServer, responses: Provider, ask: Ask, answer: dict[str, Any]) -> None:
    server.script(Reply.json(answer), Reply.stream(*responses_events(answer)))
    whole, streamed = (
        await responses.complete(ask(), NoDeltas()),
        await responses.complete(ask(stream=True), NoDeltas()),
    )
    assert whole.first_token is None
    assert streamed.first_token
    assert streamed.model_copy(update={"first_token": None}) == whole
    assert [request.json.get("stream") for request in server.requests] == [None, True]


@pytest.mark.parametrize(
    "answer",
    [
        chat_answer(TEXT, service_tier="flex"),
        chat_answer(TEXT, finish_reason="length"),
        chat_answer(TEXT, finish_reason="content_filter"),
        chat_answer(None, message={"refusal": "I will not say that."}),
        chat_answer(None, message={"tool_calls": CALLS}, finish_reason="tool_calls"),
        chat_answer(None, message={"content": [{"type": "thinking"}, {"type": "text", "text": "Why not."}]}),
        chat_answer("half \ud83d"),
    ],
)
async def test_chat(server: ModelServer, chat: Provider, ask: Ask, answer: dict[str, Any]) -> None:
    server.script(Reply.json(answer), Reply.stream(*chat_chunks(answer)))
    whole, streamed = await chat.complete(ask(), NoDeltas()), await chat.complete(ask(stream=True), NoDeltas())
    assert streamed.first_token
    assert streamed.model_copy(update={"first_token": None}) == whole
    assert server.requests[1].json["stream_options"] == {"include_usage": True}, "what it costs is known"


async def test_chunks_of_sloppy_servers(server: ModelServer, chat: Provider, ask: Ask) -> None:
    server.script(
        Reply.stream(
            {"choices": None},
            {"choices": [{"delta": {"role": "assistant", "content": None}}]},
            {"choices": [{"delta": {"tool_calls": [{"id": "a", "function": {"name": "one", "arguments": "{}"}}]}}]},
            {"choices": [{"delta": {"tool_calls": [{"id": "b", "function": {"name": "two", "arguments": "{"}}]}}]},
            {"choices": [{"delta": {"tool_calls": [{"function": {"arguments": '"x":'}}]}}]},
            {"choices": [{"delta": {"tool_calls": [{"id": "b", "function": {"arguments": " 1}"}}]}}]},
            {"choices": [{"index": 1, "delta": {"content": "of another choice"}}]},
            {"choices": [{"finish_reason": "tool_calls"}]},
            DONE,
        )
    )
    answer = await chat.complete(ask(stream=True), NoDeltas())
    assert answer.tool_calls == (
        ToolCall(id="a", name="one", arguments="{}"),
        ToolCall(id="b", name="two", arguments='{"x": 1}'),
    )
    assert (answer.text, answer.finish_reason) == ("", "tool_calls")


class Pieces:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def text(self, piece: str) -> None:
        self.pieces.append(piece)


async def hears(provider: Provider, request: ModelRequest) -> list[str]:
    """The pieces of an answer whose text is `TEXT`."""
    sink = Pieces()
    assert (await provider.complete(request, sink)).text == TEXT
    return sink.pieces


async def test_the_pieces_of_a_streamed_text_go_to_the_sink(
    server: ModelServer, responses: Provider, chat: Provider, ask: Ask
) -> None:
    server.script(Reply.stream(*EVENTS), Reply.stream(*CHUNKS), Reply.json(chat_answer(TEXT)))
    for provider in (responses, chat):
        pieces = await hears(provider, ask(stream=True))
        assert len(pieces) > 1
        assert "".join(pieces) == TEXT
    assert await hears(chat, ask()) == [], "an answer that comes whole has no pieces"


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_thought_is_a_token_and_no_answer(
    server: ModelServer, chat: Provider, ask: Ask, streamed: bool
) -> None:
    thought = {"choices": [{"delta": {"reasoning_content": "Hm."}}]}
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    server.script(Reply.stream(*([thought] if streamed else []), end))
    answer = await chat.complete(ask(stream=True), NoDeltas())
    assert (answer.text, answer.first_token is not None) == ("", streamed)


async def test_the_first_token_comes_before_the_last(
    server: ModelServer, streamed_responses: Provider, streamed_chat: Provider, ask: Ask
) -> None:
    server.script(Reply.stream(*EVENTS, pause=1), Reply.stream(*CHUNKS, pause=1))
    for provider in (streamed_responses, streamed_chat):
        began = monotonic()
        answer = await provider.complete(ask(), NoDeltas())
        assert answer.first_token is not None
        assert answer.first_token + 0.1 < monotonic() - began


@pytest.mark.parametrize(
    ("api", "events", "kind", "words"),
    [
        ("responses", EVENTS[:-1], ProviderUnavailable, BROKEN_OFF),
        ("responses", [], ProviderUnavailable, BROKEN_OFF),
        ("responses", [*EVENTS[:3], "{"], ProviderUnavailable, "not JSON"),
        ("responses", [*EVENTS[:3], {"type": "error", **LIMITED}], RateLimited, "slow down"),
        ("responses", [*EVENTS[:3], {"type": "error", "error": LIMITED}], RateLimited, "slow down"),
        ("responses", [*EVENTS[:3], FAILED], ProviderUnavailable, "server_error"),
        ("chat", CHUNKS[:3], ProviderUnavailable, BROKEN_OFF),
        ("chat", [DONE], ProviderUnavailable, BROKEN_OFF),
        ("chat", [*CHUNKS[:3], "{"], ProviderUnavailable, "not JSON"),
        ("chat", [*CHUNKS[:3], {"error": LIMITED}], RateLimited, "slow down"),
        ("chat", [*CHUNKS[:3], {"choices": [{"error": LIMITED}]}], RateLimited, "slow down"),
        ("chat", [*CHUNKS[:3], {"error": {"code": "content_filter", "message": "no"}}], ContentRefused, "no"),
    ],
)
async def test_streams_that_are_no_answer(
    server: ModelServer,
    responses: Provider,
    chat: Provider,
    ask: Ask,
    api: Literal["responses", "chat"],
    events: list[Any],
    kind: type[ProviderError],
    words: str,
) -> None:
    provider = responses if api == "responses" else chat
    server.script(Reply.stream(*events))
    with pytest.raises(kind, match=words) as caught:
        await provider.complete(ask(stream=True), NoDeltas())
    assert caught.value.__context__ is None, "an exception below may hold the request, and so the key"


async def test_a_server_that_knows_no_streams(
    server: ModelServer, streamed_responses: Provider, streamed_chat: Provider, ask: Ask
) -> None:
    server.script(Reply.json(responses_answer(TEXT)), Reply.json(chat_answer(TEXT)))
    for provider in (streamed_responses, streamed_chat):
        answer = await provider.complete(ask(), NoDeltas())
        assert (answer.text, answer.first_token) == (TEXT, None)


async def test_a_stream_that_extra_asks_for(server: ModelServer, responses: Provider, ask: Ask) -> None:
    assert (await responses.complete(ask(extra={"stream": True}), NoDeltas())).text == "ok"
    assert (await responses.complete(ask(stream=True, extra={"stream": False}), NoDeltas())).first_token is None


@pytest.mark.parametrize("then", ["close", "reset"])
async def test_what_breaks_after_the_end_of_an_answer_does_not_cost_it(
    server: ModelServer,
    streamed_responses: Provider,
    streamed_chat: Provider,
    ask: Ask,
    then: Literal["close", "reset"],
) -> None:
    for provider, events in ((streamed_responses, [*EVENTS, DONE]), (streamed_chat, CHUNKS)):
        whole = Reply.stream(*events)
        sent = len(server.encode(whole, "", streamed=True)) - len(sse(DONE))
        server.script(replace(whole, send=sent, then=then))
        answer = await provider.complete(ask(), NoDeltas())
        assert (answer.text, answer.usage.input_tokens) == (TEXT, 100)


async def test_a_chat_that_breaks_before_its_end_is_none(
    server: ModelServer, streamed_chat: Provider, ask: Ask
) -> None:
    whole = Reply.stream(*CHUNKS)
    sent = len(server.encode(whole, "", streamed=True)) - len(sse(*CHUNKS[-3:]))
    server.script(replace(whole, send=sent, then="close"))
    with pytest.raises(ProviderUnavailable, match="ClientPayloadError"):
        await streamed_chat.complete(ask(), NoDeltas())


async def test_what_an_empty_field_says_last_is_nothing(server: ModelServer, chat: Provider, ask: Ask) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 1}
    call = {"index": 0, "id": "a", "function": {"name": "now", "arguments": "{}"}}
    server.script(
        Reply.stream(
            {"model": "real", "choices": [{"delta": {"tool_calls": [call]}}], "usage": usage},
            {
                "choices": [{"delta": {"tool_calls": [{"index": 0, "function": None}]}, "finish_reason": "tool_calls"}],
                "usage": {**usage, "completion_tokens": 2},
            },
            {"model": "", "choices": [], "usage": {}},
            DONE,
        )
    )
    answer = await chat.complete(ask(stream=True), NoDeltas())
    assert answer.tool_calls == (ToolCall(id="a", name="now", arguments="{}"),)
    assert (answer.model, answer.usage.input_tokens, answer.usage.output_tokens) == ("real", 5, 2)


CHUNKED = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
LAST_CHUNK = b"0\r\n\r\n"


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def test_a_stream_is_read_to_its_end_so_that_its_connection_is_used_again(
    server: ModelServer, streamed_chat: Provider, ask: Ask
) -> None:
    body = chunked(sse(*CHUNKS)) + LAST_CHUNK
    server.script(*[Reply(body=body, headers=CHUNKED, send=-len(LAST_CHUNK), pause=0.01)] * 10)
    for _ in range(10):
        assert (await streamed_chat.complete(ask(), NoDeltas())).text == TEXT
    assert server.connections == 1


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(body=chunked(sse(*CHUNKS)), headers=CHUNKED, then="stall"), id="nothing"),
        pytest.param(Reply(body=chunked(sse(*CHUNKS)), headers=CHUNKED, then="close"), id="the connection's end"),
        pytest.param(
            Reply(body=chunked(sse(*CHUNKS)) + b"no\r\n", headers=CHUNKED, send=-4, pause=0.01), id="nonsense"
        ),
        pytest.param(
            Reply(body=chunked(sse(*CHUNKS)) + chunked(b"x" * 2**20), headers=CHUNKED, then="stall"), id="too much"
        ),
    ],
)
async def test_an_answer_does_not_wait_for_what_follows(
    server: ModelServer, streamed_chat: Provider, ask: Ask, reply: Reply
) -> None:
    server.script(reply, Reply.text("another"))
    assert (await streamed_chat.complete(ask(timeout=5), NoDeltas())).text == TEXT
    assert (await streamed_chat.complete(ask(), NoDeltas())).text == "another"
    assert server.connections == 2


class Slow:
    """A sink that takes its time, once."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def text(self, piece: str) -> None:
        sleep(self._seconds)
        self._seconds = 0


async def test_a_time_limit_that_ends_after_the_answer_costs_nothing(
    server: ModelServer, chat: Provider, ask: Ask
) -> None:
    server.script(Reply(body=chunked(sse(*CHUNKS)), headers=CHUNKED, then="stall"))
    answer = await chat.complete(ask(timeout=1, stream=True), Slow(1))
    assert answer.text == TEXT
