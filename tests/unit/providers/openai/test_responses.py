"""The Responses API: what is sent for a request, and what is read from an answer."""

from typing import Any

import pytest

from llmflow.errors import (
    AnswerLost,
    AnswerUnreadable,
    ContentRefused,
    ProviderError,
    RateLimited,
    RequestRejected,
    RequestUnsupported,
)
from llmflow.types.messages import File, Image, Message, Opaque, Text, ToolCall, ToolResult
from llmflow.types.models import ModelRequest
from llmflow.types.providers import NoDeltas, Provider
from llmflow.types.tools import ToolSpec
from tests.helpers.model_server import ModelServer, Reply, responses_answer

from ..conftest import Ask

PLAN = {"type": "object", "properties": {"steps": {"type": "array", "items": {"type": "string"}}}}
SEARCH = ToolSpec(
    name="search", description="Finds.", json_schema={"type": "object", "properties": {"query": {"type": "string"}}}
)


async def sent(server: ModelServer, provider: Provider, request: ModelRequest) -> dict[str, Any]:
    await provider.complete(request, NoDeltas())
    assert server.requests[-1].path == "/v1/responses"
    return server.requests[-1].json


async def test_the_least(server: ModelServer, responses: Provider, ask: Ask) -> None:
    assert await sent(server, responses, ask()) == {
        "model": "gpt-5.4",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "Why?"}]}],
        "store": False,
    }


async def test_options(server: ModelServer, responses: Provider, ask: Ask) -> None:
    request = ask(
        temperature=0,
        top_p=0.5,
        max_output_tokens=99,
        reasoning_effort="low",
        verbosity="high",
        service_tier="flex",
        tool_choice="search",
    ).model_copy(update={"tools": (SEARCH,)})
    body = await sent(server, responses, request)
    assert body.pop("tools") == [
        {
            "type": "function",
            "name": "search",
            "description": "Finds.",
            "parameters": {**SEARCH.json_schema, "required": ["query"], "additionalProperties": False},
            "strict": True,
        }
    ]
    assert {name: body[name] for name in body if name not in {"model", "input", "store"}} == {
        "temperature": 0,
        "top_p": 0.5,
        "max_output_tokens": 99,
        "reasoning": {"effort": "low"},
        "text": {"verbosity": "high"},
        "service_tier": "flex",
        "tool_choice": {"type": "function", "name": "search"},
        "include": ["reasoning.encrypted_content"],
    }
    thought = Opaque(vendor="local", content={"type": "reasoning", "encrypted_content": "x"})
    for model in ("gpt-4.1", "ft:gpt-4o-mini", "openai/gpt-4.1", "my-gpt4o-deployment"):
        messages = (Message.user("hi"), Message(role="assistant", parts=(thought,)))
        old = request.model_copy(update={"model": model, "messages": messages})
        body = await sent(server, responses, old)
        assert "include" not in body, "a model that does not think refuses the field"
        assert [item.get("type") for item in body["input"]] == [None], "and thoughts of another model"


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
async def test_tool_choices(server: ModelServer, responses: Provider, ask: Ask, choice: str) -> None:
    assert (await sent(server, responses, ask(tool_choice=choice)))["tool_choice"] == choice


async def test_extra_wins_field_by_field(server: ModelServer, responses: Provider, ask: Ask) -> None:
    extra = {"store": True, "reasoning": {"summary": "auto"}, "metadata": {"a": "b"}, "temperature": None}
    body = await sent(server, responses, ask(schema=PLAN, reasoning_effort="low", temperature=1, extra=extra))
    assert body["store"] is True
    assert body["reasoning"] == {"effort": "low", "summary": "auto"}
    assert body["metadata"] == {"a": "b"}
    assert body["temperature"] is None
    assert body["text"]["format"]["name"] == "Plan"


async def test_parts(server: ModelServer, responses: Provider, ask: Ask) -> None:
    request = ask(
        Message.system("Be brief."),
        Message.user(
            "Look:",
            Image(url="https://x.test/a.png"),
            Image(data=b"\x01\x02", media_type="image/jpeg"),
            File(name="a.pdf", url="https://x.test/a.pdf"),
            File(name="b.pdf", data=b"\x03"),
        ),
        Message.assistant("I search.", ToolCall(id="c1", name="search", arguments='{"query":"x"}'), "And then?"),
        Message.user(ToolResult(id="c1", text="found"), Text(text="So?")),
    )
    assert (await sent(server, responses, request))["input"] == [
        {"role": "system", "content": [{"type": "input_text", "text": "Be brief."}]},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look:"},
                {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "auto"},
                {"type": "input_image", "image_url": "data:image/jpeg;base64,AQI=", "detail": "auto"},
                {"type": "input_file", "file_url": "https://x.test/a.pdf"},
                {"type": "input_file", "filename": "b.pdf", "file_data": "data:application/pdf;base64,Aw=="},
            ],
        },
        {"role": "assistant", "content": [{"type": "output_text", "text": "I search."}]},
        {"type": "function_call", "call_id": "c1", "name": "search", "arguments": '{"query":"x"}'},
        {"role": "assistant", "content": [{"type": "output_text", "text": "And then?"}]},
        {"type": "function_call_output", "call_id": "c1", "output": "found"},
        {"role": "user", "content": [{"type": "input_text", "text": "So?"}]},
    ]


async def test_typed_output(server: ModelServer, responses: Provider, ask: Ask) -> None:
    server.script(Reply.text('{"steps": ["a"]}'))
    answer = await responses.complete(ask(schema=PLAN), NoDeltas())
    assert answer.text == '{"steps": ["a"]}'
    assert server.requests[0].json["text"]["format"] == {
        "type": "json_schema",
        "name": "Plan",
        "schema": {**PLAN, "required": ["steps"], "additionalProperties": False},
        "strict": True,
    }


async def test_typed_output_that_is_no_object(server: ModelServer, responses: Provider, ask: Ask) -> None:
    server.script(Reply.text('{"value": [1.0, 2]}'))
    answer = await responses.complete(ask(schema={"type": "array", "items": {"type": "number"}}), NoDeltas())
    assert answer.text == "[1.0, 2]"


async def test_an_answer(server: ModelServer, responses: Provider, ask: Ask) -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "search", "arguments": '{"query": "x"}'}
    web = {"type": "web_search_call", "id": "ws_1", "content": "of another shape", "arguments": None}
    answer = responses_answer("I search.", service_tier="flex")
    server.script(Reply.json({**answer, "output": [*answer["output"], web, call]}))
    response = await responses.complete(ask(), NoDeltas())
    assert (response.text, response.finish_reason) == ("I search.", "tool_calls")
    assert response.tool_calls == (ToolCall(id="c1", name="search", arguments='{"query": "x"}'),)
    assert (response.model, response.response_id) == ("gpt-5.4-2026-03-05", "resp_1")
    assert (response.service_tier, response.base_url) == ("flex", server.url)
    assert (response.usage.input_tokens, response.usage.output_tokens) == (100, 20)


async def test_commentary_is_no_part_of_the_answer(server: ModelServer, responses: Provider, ask: Ask) -> None:
    def said(text: str, phase: str | None) -> dict[str, Any]:
        content = [{"type": "output_text", "text": text}]
        return {"type": "message", "role": "assistant", "phase": phase, "content": content}

    server.script(
        Reply.json(
            responses_answer(output=[said("Hm.", "commentary"), said('{"a":', "final_answer"), said("1}", None)])
        ),
        Reply.json(responses_answer(output=[said("I look it up.", "commentary")])),
    )
    assert (await responses.complete(ask(), NoDeltas())).text == '{"a":1}'
    assert (await responses.complete(ask(), NoDeltas())).text == "I look it up."


async def test_an_answer_that_ran_out_of_tokens(server: ModelServer, responses: Provider, ask: Ask) -> None:
    cut = responses_answer("It is", status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    server.script(Reply.json(cut))
    response = await responses.complete(ask(), NoDeltas())
    assert (response.text, response.finish_reason) == ("It is", "length")


async def test_an_answer_of_a_server_that_knows_the_least(server: ModelServer, responses: Provider, ask: Ask) -> None:
    output = [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]
    server.script(Reply.json({"output": output, "usage": None}))
    response = await responses.complete(ask(), NoDeltas())
    assert (response.text, response.model, response.usage.input_tokens) == ("hi", "gpt-5.4", 0)


def refusal(text: str) -> list[dict[str, Any]]:
    return [{"type": "message", "content": [{"type": "refusal", "refusal": text}]}]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"output": refusal("I cannot help.")}, "I cannot help."),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            "the vendor's filter stopped the answer",
        ),
    ],
)
async def test_a_refusal_has_its_bill(
    server: ModelServer, responses: Provider, ask: Ask, changes: dict[str, Any], said: str
) -> None:
    server.script(Reply.json(responses_answer(**changes)))
    answer = await responses.complete(ask(schema=PLAN), NoDeltas())
    assert (answer.finish_reason, answer.text) == ("refused", said)
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (100, 20)


async def test_calls_of_sloppy_servers(server: ModelServer, responses: Provider, ask: Ask) -> None:
    calls = [
        {"type": "function_call", "name": "search", "arguments": {"query": "x"}},
        {"type": "function_call", "call_id": None, "name": "search", "arguments": None},
    ]
    server.script(Reply.json(responses_answer(output=calls)))
    assert (await responses.complete(ask(), NoDeltas())).tool_calls == (
        ToolCall(id="call_0", name="search", arguments='{"query":"x"}'),
        ToolCall(id="call_1", name="search", arguments="{}"),
    )


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"status": "failed", "error": {"code": "server_error", "message": "Oh."}}, AnswerLost, "Oh"),
        ({"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow."}}, RateLimited, "Slow"),
        ({"status": "failed", "error": {"code": "bio_policy", "message": "No."}}, ContentRefused, "bio_policy"),
        (
            {"status": "failed", "error": {"code": "invalid_prompt", "message": "flagged: usage policy"}},
            ContentRefused,
            "invalid_prompt",
        ),
        ({"status": "failed", "error": {"code": "invalid_image", "message": "No."}}, RequestRejected, "invalid_image"),
        ({"status": "failed", "error": {"message": "Oh."}}, AnswerLost, "Oh"),
        ({"status": "queued", "output": []}, RequestUnsupported, "`background`"),
        ({"status": "vanished", "output": []}, RequestUnsupported, "`vanished`"),
    ],
)
async def test_answers_that_are_none(
    server: ModelServer, responses: Provider, ask: Ask, changes: dict[str, Any], kind: type[ProviderError], said: str
) -> None:
    server.script(Reply.json(responses_answer(**changes)))
    with pytest.raises(ProviderError, match=said) as caught:
        await responses.complete(ask(), NoDeltas())
    assert type(caught.value) is kind
    assert caught.value.detail.model == "openai:gpt-5.4"


@pytest.mark.parametrize(
    "output",
    [None, "text", [{"type": "function_call", "call_id": "c1"}]],
)
async def test_answers_of_another_shape(server: ModelServer, responses: Provider, ask: Ask, output: object) -> None:
    server.script(Reply.json(responses_answer(output=output)))
    with pytest.raises(AnswerUnreadable, match="not have the format of /responses: output"):
        await responses.complete(ask(), NoDeltas())
