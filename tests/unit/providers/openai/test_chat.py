"""Chat Completions: what is sent for a request, and what is read from an answer."""

from decimal import Decimal
from typing import Any

import pytest

from llmflow.errors import (
    AnswerLost,
    AnswerUnreadable,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from llmflow.providers.openai.chat_dialects import dialect_at
from llmflow.types.messages import File, Image, Message, Text, ToolCall, ToolResult
from llmflow.types.models import ModelRequest
from llmflow.types.providers import NoDeltas, Provider
from llmflow.types.tools import ToolSpec
from tests.helpers.model_server import ModelServer, Reply, chat_answer

from ..conftest import Ask

PLAN = {"type": "object", "properties": {"steps": {"type": "array", "items": {"type": "string"}}}}
FREE = ToolSpec(name="put", description="Puts.", json_schema={"type": "object", "additionalProperties": True})
CALL = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"query": "x"}'}}


async def sent(server: ModelServer, provider: Provider, request: ModelRequest) -> dict[str, Any]:
    await provider.complete(request, NoDeltas())
    assert server.requests[-1].path == "/v1/chat/completions"
    return server.requests[-1].json


async def test_the_least(server: ModelServer, chat: Provider, ask: Ask) -> None:
    assert await sent(server, chat, ask()) == {
        "model": "gpt-5.4",
        "messages": [{"role": "user", "content": "Why?"}],
    }


async def test_options(server: ModelServer, chat: Provider, ask: Ask) -> None:
    request = ask(
        schema=PLAN,
        temperature=0,
        top_p=0.5,
        max_output_tokens=99,
        reasoning_effort="low",
        verbosity="high",
        service_tier="flex",
        tool_choice="put",
        extra={"response_format": {"json_schema": None}, "seed": 7},
    ).model_copy(update={"tools": (FREE,)})
    body = await sent(server, chat, request)
    assert {name: body[name] for name in body if name not in {"model", "messages"}} == {
        "temperature": 0,
        "top_p": 0.5,
        "max_tokens": 99,
        "reasoning_effort": "low",
        "verbosity": "high",
        "service_tier": "flex",
        "tools": [
            {"type": "function", "function": {"name": "put", "description": "Puts.", "parameters": FREE.json_schema}}
        ],
        "tool_choice": {"type": "function", "function": {"name": "put"}},
        "response_format": {"type": "json_schema", "json_schema": None},
        "seed": 7,
    }


@pytest.mark.parametrize(
    ("base_url", "limit"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://eu.api.openai.com/v1", "max_completion_tokens"),
        ("https://mine.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://openrouter.ai/api/v1", "max_completion_tokens"),
        ("https://api.mistral.ai/v1", "max_tokens"),
        ("http://localhost:11434/v1", "max_tokens"),
        ("https://notopenai.com/v1", "max_tokens"),
    ],
)
def test_the_limit_has_the_name_that_the_server_knows(base_url: str, limit: str) -> None:
    assert dialect_at(base_url).limit == limit


async def test_typed_output(server: ModelServer, chat: Provider, ask: Ask) -> None:
    server.script(Reply.text('{"value": ["a"]}'))
    answer = await chat.complete(ask(schema={"type": "array", "items": {"type": "string"}}), NoDeltas())
    assert answer.text == '["a"]'
    form = server.requests[0].json["response_format"]
    assert (form["type"], form["json_schema"]["name"], form["json_schema"]["strict"]) == ("json_schema", "Plan", True)
    assert form["json_schema"]["schema"]["required"] == ["value"]


async def test_parts(server: ModelServer, chat: Provider, ask: Ask) -> None:
    request = ask(
        Message.system("Be brief.", "And kind."),
        Message.user("Look:", Image(url="https://x.test/a.png"), File(name="b.pdf", data=b"\x03")),
        Message.assistant(ToolCall(id="c1", name="search", arguments='{"query": "x"}')),
        Message.user(ToolResult(id="c1", text="found"), Text(text="So?")),
        Message.assistant("This.", ToolCall(id="c1", name="search", arguments='{"query": "x"}')),
    )
    assert (await sent(server, chat, request))["messages"] == [
        {"role": "system", "content": "Be brief.\nAnd kind."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
                {"type": "file", "file": {"filename": "b.pdf", "file_data": "data:application/pdf;base64,Aw=="}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "found"},
        {"role": "user", "content": "So?"},
        {"role": "assistant", "content": "This.", "tool_calls": [CALL]},
    ]


async def test_an_answer(server: ModelServer, chat: Provider, ask: Ask) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12, "cost": 0.00015}
    server.script(Reply.json(chat_answer(None, message={"tool_calls": [CALL]}, usage=usage, service_tier="flex")))
    response = await chat.complete(ask(), NoDeltas())
    assert (response.text, response.finish_reason) == ("", "tool_calls")
    assert response.tool_calls == (ToolCall(id="c1", name="search", arguments='{"query": "x"}'),)
    assert (response.model, response.response_id) == ("gpt-5.4-2026-03-05", "chatcmpl-1")
    assert (response.service_tier, response.base_url) == ("flex", server.url)
    assert response.reported_usd == Decimal("0.00015")


@pytest.mark.parametrize(
    ("finish", "calls", "reason"),
    [
        ("stop", [], "stop"),
        ("length", [], "length"),
        ("length", [CALL], "length"),
        ("tool_calls", [CALL], "tool_calls"),
        ("stop", [CALL], "tool_calls"),
        (None, None, "stop"),
    ],
)
async def test_finish_reasons(
    server: ModelServer, chat: Provider, ask: Ask, finish: str | None, calls: list[Any] | None, reason: str
) -> None:
    server.script(Reply.json(chat_answer(finish_reason=finish, message={"tool_calls": calls})))
    assert (await chat.complete(ask(), NoDeltas())).finish_reason == reason


@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        ({"arguments": {"query": "é", "n": 1.5}}, '{"query":"é","n":1.5}'),
        ({"arguments": None}, "{}"),
        ({"arguments": ""}, "{}"),
        ({}, "{}"),
    ],
)
async def test_calls_of_sloppy_servers(
    server: ModelServer, chat: Provider, ask: Ask, written: dict[str, Any], arguments: str
) -> None:
    calls = [CALL, {"id": None, "function": {"name": "put", **written}}, {"function": {"name": "put", **written}}]
    server.script(Reply.json(chat_answer(message={"tool_calls": calls})))
    first, *others = (await chat.complete(ask(), NoDeltas())).tool_calls
    assert first == ToolCall(id="c1", name="search", arguments='{"query": "x"}')
    assert others == [ToolCall(id=f"call_{at}", name="put", arguments=arguments) for at in (1, 2)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (chat_answer(message={"refusal": "I cannot help."}), "I cannot help."),
        (chat_answer("Well, to", finish_reason="content_filter"), "the vendor's filter stopped the answer"),
        (chat_answer(message={"refusal": "No.", "tool_calls": [CALL]}), "No."),
    ],
)
async def test_a_refusal_has_its_bill(
    server: ModelServer, chat: Provider, ask: Ask, body: dict[str, Any], said: str
) -> None:
    server.script(Reply.json(body))
    answer = await chat.complete(ask(schema={"type": "array"}), NoDeltas())
    assert (answer.finish_reason, answer.text, answer.tool_calls) == ("refused", said, ())
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (100, 20)


async def test_content_in_parts(server: ModelServer, chat: Provider, ask: Ask) -> None:
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "so "}, {"type": "text", "text": "it is"}]
    server.script(Reply.json(chat_answer(message={"content": parts})))
    assert (await chat.complete(ask(), NoDeltas())).text == "so it is"


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        # OpenRouter passes on the errors of others under 200, whole or in a choice.
        ({"error": {"code": 429, "message": "Busy."}}, RateLimited, r"answered 429.*Busy"),
        ({"error": {"code": 502, "message": "Oh."}}, ProviderUnavailable, "answered 502"),
        ({"choices": [{"error": {"code": 502, "message": "Oh."}}]}, ProviderUnavailable, "answered 502"),
        ({"error": {"code": "invalid_prompt", "message": "No."}}, RequestRejected, "invalid_prompt"),
        (chat_answer(choices=[]), AnswerLost, "no choices"),
        (chat_answer(choices="text"), AnswerUnreadable, "not have the format of /chat/completions: choices"),
        (chat_answer(message={"tool_calls": [{"id": "c1"}]}), AnswerUnreadable, "function"),
    ],
)
async def test_answers_that_are_none(
    server: ModelServer, chat: Provider, ask: Ask, body: object, kind: type[ProviderError], said: str
) -> None:
    server.script(Reply.json(body))
    with pytest.raises(ProviderError, match=said) as caught:
        await chat.complete(ask(), NoDeltas())
    assert type(caught.value) is kind
    assert caught.value.detail.model == "local:gpt-5.4"
