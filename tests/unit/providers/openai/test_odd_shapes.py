"""Odd shapes that servers really send, which must not cost a paid answer. Whole and streamed, against a real server."""

import pytest

from llmflow.errors import AnswerUnreadable, ProviderError
from llmflow.types.providers import NoDeltas, Provider
from tests.helpers.model_server import DONE, Json, ModelServer, Reply, chat_answer, responses_answer

from ..conftest import Ask

LOOK = {"name": "look", "arguments": "{}"}


@pytest.mark.parametrize(
    "message",
    [
        {"content": "ok", "refusal": False},
        {"content": "ok", "refusal": {}},
        {"content": "ok", "tool_calls": {}},
        {"content": "ok", "tool_calls": [None]},
        {"content": "ok", "tool_calls": [{}]},
        {"content": "ok", "tool_calls": "none"},
        {"content": ["o", "k"]},
        {"content": {"type": "text", "text": "ok"}},
        {"content": [{"text": "ok"}]},
        {"content": [None, {"type": "output_text", "text": "ok"}, {"type": "text", "text": 7}, 8]},
        {"content": "ok", "reasoning": 7, "reasoning_details": "x", "annotations": None},
    ],
    ids=str,
)
async def test_a_message_of_chat_completions(server: ModelServer, chat: Provider, ask: Ask, message: Json) -> None:
    server.script(
        Reply.json(chat_answer(None, message=message)),
        Reply.stream({"choices": [{"index": 0, "delta": message}]}, {"choices": [{"finish_reason": "stop"}]}, DONE),
    )
    for stream in (False, True):
        answer = await chat.complete(ask(stream=stream), NoDeltas())
        assert (answer.text, answer.finish_reason, answer.tool_calls) == ("ok", "stop", ())


@pytest.mark.parametrize(
    "calls", [{"id": 0, "function": LOOK}, [{"function": LOOK}, None], [{"index": "x", "function": LOOK}]]
)
async def test_tool_calls(server: ModelServer, chat: Provider, ask: Ask, calls: object) -> None:
    delta = {"index": None, "delta": {"tool_calls": calls}}
    server.script(
        Reply.json(chat_answer(None, message={"content": None, "tool_calls": calls})),
        Reply.stream({"choices": [delta]}, {"choices": [{"index": 0, "delta": None, "finish_reason": "tool_calls"}]}),
    )
    for stream in (False, True):
        [call] = (await chat.complete(ask(stream=stream), NoDeltas())).tool_calls
        assert (call.name, call.arguments, call.id) in {("look", "{}", "call_0"), ("look", "{}", "0")}


EMPTY: list[object] = [{}, [], "", False, None, {"message": None, "code": 0}, {"message": "", "type": None}]


@pytest.mark.parametrize("error", EMPTY, ids=str)
async def test_an_error_that_says_nothing(
    server: ModelServer, chat: Provider, responses: Provider, ask: Ask, error: object
) -> None:
    whole = chat_answer("ok")
    chunk: Json = {"choices": [{"index": 0, "delta": {"content": "ok"}, "error": error}], "error": error}
    server.script(
        Reply.json({**whole, "error": error, "choices": [{**whole["choices"][0], "error": error}]}),
        Reply.stream(chunk, {"choices": [{"finish_reason": "stop"}]}, DONE),
        Reply.json(responses_answer("ok", error=error)),
        Reply.stream({"type": "response.completed", "response": responses_answer("ok", error=error), "error": error}),
    )
    for provider in (chat, responses):
        for stream in (False, True):
            assert (await provider.complete(ask(stream=stream), NoDeltas())).text == "ok"


@pytest.mark.parametrize("error", ["no", True, {"message": "", "code": "x"}, {"code": 7}, [{"message": "no"}]], ids=str)
async def test_an_error_that_says_something(server: ModelServer, chat: Provider, ask: Ask, error: object) -> None:
    server.script(Reply.json({**chat_answer("ok"), "error": error}))
    with pytest.raises(ProviderError):
        await chat.complete(ask(), NoDeltas())


@pytest.mark.parametrize(
    ("changes", "text", "ended"),
    [
        ({"output": [{"type": "message", "content": "ok"}]}, "ok", "stop"),
        ({"output": [{"type": "message", "content": [{"text": "ok"}]}]}, "ok", "stop"),
        ({"output": [None, {"type": "message", "content": {"type": "text", "text": "ok"}}]}, "ok", "stop"),
        ({"output": [{"type": "message", "content": None}]}, "", "stop"),
        (
            {"output": [{"type": "message", "content": [{"type": "output_text", "text": "ok"}], "phase": 7}]},
            "ok",
            "stop",
        ),
        ({"status": "incomplete", "incomplete_details": "max_output_tokens"}, "ok", "length"),
        ({"status": "incomplete", "incomplete_details": {"reason": None}}, "ok", "length"),
        ({"status": "incomplete", "incomplete_details": None}, "ok", "length"),
        ({"status": "incomplete", "incomplete_details": ["x"]}, "ok", "length"),
        ({"incomplete_details": {}}, "ok", "stop"),
    ],
)
async def test_an_answer_of_the_responses_api(
    server: ModelServer, responses: Provider, ask: Ask, changes: Json, text: str, ended: str
) -> None:
    whole = responses_answer("ok", **changes)
    server.script(
        Reply.json(whole), Reply.stream({}, {"type": None}, {"type": "response.completed", "response": whole})
    )
    for stream in (False, True):
        answer = await responses.complete(ask(stream=stream), NoDeltas())
        assert (answer.text, answer.finish_reason) == (text, ended)


@pytest.mark.parametrize("message", [7, "text", [], {"tool_calls": [{"id": "c1"}]}, {"tool_calls": [{"function": {}}]}])
async def test_what_makes_an_answer_one_is_strict(
    server: ModelServer, chat: Provider, ask: Ask, message: object
) -> None:
    server.script(Reply.json({"choices": [{"message": message}] if message != [] else [], "usage": None}))
    with pytest.raises(ProviderError) as caught:
        await chat.complete(ask(), NoDeltas())
    assert message == [] or isinstance(caught.value, AnswerUnreadable)
