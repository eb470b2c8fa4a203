"""Streamed answers: the same as whole ones, and the time to their first token."""

from time import monotonic
from typing import Any

import pytest

from llmflow.errors import ContentRefused, ProviderError, ProviderUnavailable, RateLimited
from llmflow.providers.base import Provider
from llmflow.types.messages import ToolCall
from tests.helpers.model_server import (
    DONE,
    ModelServer,
    Reply,
    chat_answer,
    chat_chunks,
    responses_answer,
    responses_events,
)

from .conftest import Ask

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
    whole, streamed = await responses.complete(ask()), await responses.complete(ask(stream=True))
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
    whole, streamed = await chat.complete(ask()), await chat.complete(ask(stream=True))
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
    answer = await chat.complete(ask(stream=True))
    assert answer.tool_calls == (
        ToolCall(id="a", name="one", arguments="{}"),
        ToolCall(id="b", name="two", arguments='{"x": 1}'),
    )
    assert (answer.text, answer.finish_reason) == ("", "tool_calls")


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_thought_is_a_token_and_no_answer(
    server: ModelServer, chat: Provider, ask: Ask, streamed: bool
) -> None:
    thought = {"choices": [{"delta": {"reasoning_content": "Hm."}}]}
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    server.script(Reply.stream(*([thought] if streamed else []), end))
    answer = await chat.complete(ask(stream=True))
    assert (answer.text, answer.first_token is not None) == ("", streamed)


async def test_the_first_token_comes_before_the_last(
    server: ModelServer, streamed_responses: Provider, streamed_chat: Provider, ask: Ask
) -> None:
    server.script(Reply.stream(*EVENTS, pause=0.3), Reply.stream(*CHUNKS, pause=0.3))
    for provider in (streamed_responses, streamed_chat):
        began = monotonic()
        answer = await provider.complete(ask())
        assert answer.first_token is not None
        assert answer.first_token + 0.25 < monotonic() - began


@pytest.mark.parametrize(
    ("events", "kind", "words"),
    [
        (EVENTS[:-1], ProviderUnavailable, BROKEN_OFF),
        ([], ProviderUnavailable, BROKEN_OFF),
        ([*EVENTS[:3], "{"], ProviderUnavailable, "no JSON"),
        ([*EVENTS[:3], {"type": "error", **LIMITED}], RateLimited, "slow down"),
        ([*EVENTS[:3], {"type": "error", "error": LIMITED}], RateLimited, "slow down"),
        ([*EVENTS[:3], FAILED], ProviderUnavailable, "server_error"),
    ],
)
async def test_responses_that_are_none(
    server: ModelServer, responses: Provider, ask: Ask, events: list[Any], kind: type[ProviderError], words: str
) -> None:
    server.script(Reply.stream(*events))
    with pytest.raises(kind, match=words) as caught:
        await responses.complete(ask(stream=True))
    assert caught.value.__context__ is None, "the SDK's exception holds the request, and so the key"


@pytest.mark.parametrize(
    ("events", "kind", "words"),
    [
        (CHUNKS[:3], ProviderUnavailable, BROKEN_OFF),
        ([DONE], ProviderUnavailable, BROKEN_OFF),
        ([*CHUNKS[:3], "{"], ProviderUnavailable, "no JSON"),
        ([*CHUNKS[:3], {"error": LIMITED}], RateLimited, "slow down"),
        ([*CHUNKS[:3], {"choices": [{"error": LIMITED}]}], RateLimited, "slow down"),
        ([*CHUNKS[:3], {"error": {"code": "content_filter", "message": "no"}}], ContentRefused, "no"),
    ],
)
async def test_chats_that_are_no_answer(
    server: ModelServer, chat: Provider, ask: Ask, events: list[Any], kind: type[ProviderError], words: str
) -> None:
    server.script(Reply.stream(*events))
    with pytest.raises(kind, match=words) as caught:
        await chat.complete(ask(stream=True))
    assert caught.value.__context__ is None, "the SDK's exception holds the request, and so the key"


async def test_a_server_that_knows_no_streams(
    server: ModelServer, streamed_responses: Provider, streamed_chat: Provider, ask: Ask
) -> None:
    server.script(Reply.json(responses_answer(TEXT)), Reply.json(chat_answer(TEXT)))
    for provider in (streamed_responses, streamed_chat):
        answer = await provider.complete(ask())
        assert (answer.text, answer.first_token) == (TEXT, None)


async def test_a_stream_that_extra_asks_for(server: ModelServer, responses: Provider, ask: Ask) -> None:
    assert (await responses.complete(ask(extra={"stream": True}))).text == "ok"
    assert (await responses.complete(ask(stream=True, extra={"stream": False}))).first_token is None
