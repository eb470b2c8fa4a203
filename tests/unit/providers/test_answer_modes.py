"""Ways to ask for a typed answer, against a server that refuses some of them."""

from typing import Any

import pytest

from llmflow.errors import RequestRejected, RequestUnsupported
from llmflow.providers.answer_modes import AnswerModes
from llmflow.types.messages import Message
from llmflow.types.models import AnswerMode
from llmflow.types.providers import NoDeltas, Provider
from llmflow.types.tools import ToolSpec
from tests.helpers.model_server import Json, ModelServer, Reply, chat_answer

from .conftest import Ask

NUMBERS: Json = {"type": "array", "items": {"type": "integer"}}
SEARCH = ToolSpec(name="search", description="Finds.", json_schema={"type": "object", "properties": {}})
NO_SCHEMAS = Reply.error(400, message="Invalid parameter: 'response_format' of type 'json_schema' is not supported")
NO_TOOLS = Reply.error(400, message="registry.ollama.ai/library/phi3 does not support tools")
NO_JSON = Reply.error(422, message="response_format: json_object is not allowed")
TOLD = "Answer with JSON alone, which fits this JSON schema:\n"


@pytest.fixture
def typed(chat: Provider, server: ModelServer) -> AnswerModes:
    return AnswerModes(chat, "chat", server.url)


def calls(*names: str) -> Reply:
    made = [{"id": name, "function": {"name": name, "arguments": '{"value": [1, 2]}'}} for name in names]
    return Reply.json(chat_answer(None, message={"tool_calls": made}, finish_reason="tool_calls"))


async def test_each_mode_that_is_refused_once_is_left_out(server: ModelServer, typed: AnswerModes, ask: Ask) -> None:
    server.script(NO_SCHEMAS, NO_TOOLS, NO_JSON, Reply.text('```json\n{"value": [1, 2]}\n```'))
    request = ask(Message.system("Be brief."), Message.user("Which?"), schema=NUMBERS)
    answer = await typed.complete(request, NoDeltas())
    assert (answer.text, answer.mode) == ("[1, 2]", "prompted")
    schema, tool, json_object, prompted = (request.json for request in server.requests)
    assert schema["response_format"]["type"] == "json_schema"
    assert tool["tool_choice"] == {"type": "function", "function": {"name": "Plan"}}
    assert tool["tools"][0]["function"]["parameters"]["required"] == ["value"]
    assert json_object["response_format"] == {"type": "json_object"}
    assert not {"response_format", "tools"} & prompted.keys()
    for told in (json_object, prompted):
        assert told["messages"][0]["content"].startswith(f"Be brief.\n{TOLD}")
        assert [message["role"] for message in told["messages"]] == ["system", "user"]

    server.script(Reply.text('{"value": [3]}'))
    assert (await typed.complete(request, NoDeltas())).text == "[3]"
    assert server.count == 5, "the worker remembers it"
    await typed.complete(request.model_copy(update={"model": "another"}), NoDeltas())
    assert server.requests[-1].json["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("reply", "text", "left"),
    [
        (calls("Plan"), "[1, 2]", ()),
        (calls("search"), "", ("search",)),
        (calls("search", "Plan"), "", ("search",)),
        (Reply.text('{"value": [1, 2]}'), "[1, 2]", ()),
    ],
    ids=["answer", "tool first", "both", "text"],
)
async def test_a_tool_gives_the_answer_beside_others(
    server: ModelServer, typed: AnswerModes, ask: Ask, reply: Reply, text: str, left: tuple[str, ...]
) -> None:
    server.script(reply)
    request = ask(schema=NUMBERS, answer_mode="tool").model_copy(update={"tools": (SEARCH,)})
    answer = await typed.complete(request, NoDeltas())
    assert (answer.text, tuple(call.name for call in answer.tool_calls)) == (text, left)
    body = server.requests[0].json
    assert ([tool["function"]["name"] for tool in body["tools"]], body["tool_choice"]) == (
        ["search", "Plan"],
        "required",
    )


@pytest.mark.parametrize(
    ("options", "reply", "kind"),
    [
        ({"answer_mode": "json_schema"}, NO_SCHEMAS, RequestUnsupported),
        ({}, Reply.error(400, message="temperature must be below 2"), RequestRejected),
        ({}, Reply.error(400, message="Invalid schema for function 'search': no such type"), RequestRejected),
    ],
    ids=["chosen", "another reason", "a fault in a tool"],
)
async def test_what_is_refused_for_good(
    server: ModelServer, typed: AnswerModes, ask: Ask, options: Any, reply: Reply, kind: type[RequestRejected]
) -> None:
    server.script(reply)
    with pytest.raises(RequestRejected) as caught:
        await typed.complete(ask(schema=NUMBERS, **options), NoDeltas())
    assert type(caught.value) is kind
    assert server.count == 1


async def test_what_every_mode_is_refused_for_is_not_remembered(
    server: ModelServer, typed: AnswerModes, ask: Ask
) -> None:
    server.script(NO_SCHEMAS, Reply.error(400, message="your account is closed"), Reply.text('{"value": [1]}'))
    with pytest.raises(RequestRejected):
        await typed.complete(ask(schema=NUMBERS), NoDeltas())
    assert (await typed.complete(ask(schema=NUMBERS), NoDeltas())).mode == "json_schema"


async def test_an_answer_of_a_tool_that_is_cut_off_says_so(server: ModelServer, typed: AnswerModes, ask: Ask) -> None:
    cut = {"id": "1", "function": {"name": "Plan", "arguments": '{"value": [1, '}}
    server.script(Reply.json(chat_answer(None, message={"tool_calls": [cut]}, finish_reason="length")))
    assert (await typed.complete(ask(schema=NUMBERS, answer_mode="tool"), NoDeltas())).finish_reason == "length"


@pytest.mark.parametrize("mode", ["json_object", "prompted"])
async def test_without_a_system_message_there_is_one(
    server: ModelServer, responses: Provider, ask: Ask, mode: AnswerMode
) -> None:
    typed = AnswerModes(responses, "responses", server.url)
    server.script(Reply.text('{"value": [1]}'))
    answer = await typed.complete(ask(schema=NUMBERS, answer_mode=mode, verbosity="low"), NoDeltas())
    assert (answer.text, answer.mode) == ("[1]", mode)
    body = server.requests[0].json
    assert body["input"][0]["role"] == "system"
    assert body["input"][0]["content"][0]["text"].startswith(TOLD)
    assert body["text"] == {
        "verbosity": "low",
        **({"format": {"type": "json_object"}} if mode == "json_object" else {}),
    }


def test_a_vendor_without_schemas_is_known(chat: Provider) -> None:
    known = [AnswerModes(chat, "chat", url) for url in ("https://api.deepseek.com/v1", "https://x.test/deepseek.com")]
    assert [vars(one)["_first"] for one in known] == ["json_object", "json_schema"]


async def test_text_has_no_mode(server: ModelServer, typed: AnswerModes, ask: Ask) -> None:
    server.script(calls("search"))
    answer = await typed.complete(ask(), NoDeltas())
    assert (answer.mode, [call.name for call in answer.tool_calls]) == (None, ["search"])
