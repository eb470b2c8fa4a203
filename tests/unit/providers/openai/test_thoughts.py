"""Thoughts of a model that go back to it, and what happens where they are refused."""

import pytest

from llmflow.errors import RequestRejected
from llmflow.types.messages import Message, ToolResult, turn_of
from llmflow.types.models import ModelRequest
from llmflow.types.providers import NoDeltas, Provider
from llmflow.types.tools import ToolSpec
from tests.helpers.model_server import Json, ModelServer, Reply, chat_answer, responses_answer

from ..conftest import Ask

TOOL = ToolSpec(name="look", description="Looks.", json_schema={"type": "object", "properties": {}})
UNSUPPORTED = "Encrypted content is not supported with this model."
UNVERIFIED = "The encrypted content gAAA... could not be verified. Reason: Encrypted content could not be decrypted."
ITEM: Json = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
CALL: Json = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}


def with_tools(request: ModelRequest) -> ModelRequest:
    return request.model_copy(update={"tools": (TOOL,), "model": "my-deployment"})


async def second_round(provider: Provider, ask: Ask, stream: bool = False) -> ModelRequest:
    """Ask for the first tool call, and return the request with its result."""
    answer = await provider.complete(with_tools(ask(stream=stream)), NoDeltas())
    turn = turn_of(answer.text, answer.tool_calls, answer.opaque)
    results = [Message.user(ToolResult(id=call.id, text="seen")) for call in answer.tool_calls]
    return with_tools(ask(Message.user("Why?"), turn, *results))


async def test_a_deployment_without_encrypted_thoughts_is_remembered(
    server: ModelServer, responses: Provider, ask: Ask
) -> None:
    server.script(Reply.error(400, message=UNSUPPORTED), Reply.text("ok"), Reply.text("ok"))
    for _ in range(2):
        assert (await responses.complete(with_tools(ask()), NoDeltas())).text == "ok"
    assert [request.json.get("include") for request in server.requests] == [
        ["reasoning.encrypted_content"],
        None,
        None,
    ]


async def test_thoughts_that_it_cannot_read_are_left_out_once(
    server: ModelServer, responses: Provider, ask: Ask
) -> None:
    """A turn of another deployment: its own thoughts are still asked for."""
    server.script(Reply.json(responses_answer(output=[ITEM, CALL])))
    request = await second_round(responses, ask)
    server.script(Reply.error(400, code="invalid_encrypted_content", message=UNVERIFIED), Reply.text("ok"))
    assert (await responses.complete(request, NoDeltas())).text == "ok"
    await responses.complete(with_tools(ask()), NoDeltas())
    _, refused, again, later = (request.json for request in server.requests)
    assert [item.get("type") for item in refused["input"]] == [
        None,
        "reasoning",
        "function_call",
        "function_call_output",
    ]
    assert [item.get("type") for item in again["input"]] == [None, "function_call", "function_call_output"]
    assert later["include"] == ["reasoning.encrypted_content"]


async def test_another_refusal_is_one(server: ModelServer, responses: Provider, ask: Ask) -> None:
    server.script(Reply.error(400, message="no such tool"))
    with pytest.raises(RequestRejected):
        await responses.complete(with_tools(ask()), NoDeltas())
    assert server.count == 1


def thought(*texts: str) -> Json:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text} for text in texts]}


@pytest.mark.parametrize("stream", [False, True])
async def test_mistrals_thoughts_are_parts_of_the_content(
    server: ModelServer, chat: Provider, ask: Ask, stream: bool
) -> None:
    """As in the SDK's `ThinkChunk`; streamed, it comes in pieces."""
    calls = [{"id": "c1", "index": 0, "type": "function", "function": {"name": "look", "arguments": "{}"}}]
    text = {"type": "text", "text": "Let me see."}
    deltas = [thought("I have "), thought("to look.")], [text]
    chunks: list[Json] = [{"content": [one]} for part in deltas for one in part]
    events = [{"choices": [{"delta": one}]} for one in [*chunks, {"tool_calls": calls}]]
    server.script(
        Reply.stream(*events, {"choices": [{"finish_reason": "tool_calls"}]})
        if stream
        else Reply.json(chat_answer(None, message={"content": [thought("I have to look."), text], "tool_calls": calls}))
    )
    request = await second_round(chat, ask, stream)
    await chat.complete(request, NoDeltas())
    turn = server.requests[1].json["messages"][1]
    assert turn["content"] == [thought("I have to look."), text]
    assert [call["id"] for call in turn["tool_calls"]] == ["c1"]


async def test_roles_alternate(server: ModelServer, chat: Provider, ask: Ask) -> None:
    """Chat templates of Gemma, Llama 2 and Mistral refuse two messages of one role in a row."""
    request = ask(
        Message.system("Be brief."), Message.system("Be kind."), Message.user("Look:"), Message.user("Why?"),
        Message.assistant("So."), Message.assistant("Or so."), Message.user("Sure?"),
    )  # fmt: skip
    await chat.complete(request, NoDeltas())
    assert server.requests[0].json["messages"] == [
        {"role": "system", "content": "Be brief.\nBe kind."},
        {"role": "user", "content": "Look:\nWhy?"},
        {"role": "assistant", "content": "So.\nOr so."},
        {"role": "user", "content": "Sure?"},
    ]
