"""Answers, and what is none, in the shapes that servers are known to send.

Each shape names its source: a page of the vendor, or a public issue that shows it.
"""

import json
from typing import Any

import pytest

from llmflow.errors import (
    AnswerLost,
    AuthenticationFailed,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    RequestUnsupported,
)
from llmflow.types.messages import ToolCall
from llmflow.types.models import FinishReason
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

PLAN = {
    "type": "object",
    "properties": {"steps": {"type": "array", "items": {"type": "string"}}},
    "required": ["steps"],
}
TYPED = '{"steps": ["a"]}'
USAGE = {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 20}}


def said(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta}]}


@pytest.mark.parametrize("end", [[DONE], [USAGE], [USAGE, DONE]], ids=["DONE", "usage", "both"])
async def test_a_stream_without_a_reason_ends_where_its_server_says_so(
    server: ModelServer, chat: Provider, ask: Ask, end: list[Any]
) -> None:
    server.script(Reply.stream(said(content="It "), said(content="is."), *end))
    answer = await chat.complete(ask(stream=True), NoDeltas())
    assert (answer.text, answer.finish_reason) == ("It is.", "stop")


@pytest.mark.parametrize("counted", [False, True])
async def test_a_stream_that_only_stops_is_none(server: ModelServer, chat: Provider, ask: Ask, counted: bool) -> None:
    pieces = [{**said(content=text), **({"usage": USAGE["usage"]} if counted else {})} for text in ("It ", "is.")]
    server.script(Reply.stream(*pieces))
    with pytest.raises(ProviderUnavailable, match="the stream ended before the answer did"):
        await chat.complete(ask(stream=True), NoDeltas())


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "stop"),
        (None, "stop"),
        ("eos", "stop"),  # Together: API reference, `finish_reason`
        ("model_length", "length"),  # Mistral: API reference, `finish_reason`
        ("content_filter", "refused"),
        ("content_filter: RECITATION", "refused"),  # Gemini's door
        ("function_call_filter: MALFORMED_FUNCTION_CALL", "unknown"),  # Gemini's door
        ("insufficient_system_resource", "unknown"),  # DeepSeek: API reference, `finish_reason`
        ("error", "unknown"),  # OpenRouter: API reference, `finish_reason`
        ("abort", "unknown"),  # vLLM, a request that was cancelled
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_endings(
    server: ModelServer, chat: Provider, ask: Ask, word: str | None, reason: FinishReason, stream: bool
) -> None:
    whole = chat_answer("It is", finish_reason=word)
    server.script(Reply.stream(*chat_chunks(whole)) if stream else Reply.json(whole))
    answer = await chat.complete(ask(stream=stream or None), NoDeltas())
    assert (answer.finish_reason, answer.ending) == (reason, word if reason == "unknown" else None)
    assert answer.usage.output_tokens == 20, "it is billed"


async def test_nothing_is_no_text_and_has_its_bill(server: ModelServer, chat: Provider, ask: Ask) -> None:
    empty = chat_answer(choices=[{"index": 0, "message": None, "finish_reason": "stop"}])
    server.script(Reply.json(empty), Reply.json(chat_answer(None)))
    for _ in range(2):
        answer = await chat.complete(ask(), NoDeltas())
        assert (answer.text, answer.tool_calls, answer.usage.output_tokens) == ("", (), 20)


EVENTS = list(responses_events(responses_answer(TYPED)))


def without_output(*left_out: str) -> list[dict[str, Any]]:
    """Events of which the last one has no output, and without those of some kinds."""
    response = {**responses_answer(TYPED), "output": []}
    kept = [event for event in EVENTS[:-1] if event["type"] not in left_out]
    return [*kept, {"type": "response.completed", "response": response}]


@pytest.mark.parametrize(
    "events",
    [
        without_output(),  # BerriAI/litellm#32724, open-webui/open-webui#27800: ChatGPT's own back end
        without_output("response.output_item.done"),  # QuantumNous/new-api#4362
        [*EVENTS[:-1], {"type": "response.completed", "response": {"id": "resp_1"}}],  # decolua/9router#705
    ],
    ids=["items before", "text before", "no output"],
)
async def test_items_that_came_before_the_end_are_the_answer(
    server: ModelServer, responses: Provider, ask: Ask, events: list[Any]
) -> None:
    server.script(Reply.stream(*events))
    assert (await responses.complete(ask(stream=True, schema=PLAN), NoDeltas())).text == TYPED


async def test_a_status_of_another_word_loses_no_answer(server: ModelServer, responses: Provider, ask: Ask) -> None:
    server.script(Reply.json(responses_answer("It is.", status="done")))
    assert (await responses.complete(ask(), NoDeltas())).text == "It is."


async def test_an_answer_that_is_incomplete_for_an_unknown_reason(
    server: ModelServer, responses: Provider, ask: Ask
) -> None:
    server.script(Reply.json(responses_answer("It", status="incomplete", incomplete_details={"reason": "overload"})))
    answer = await responses.complete(ask(), NoDeltas())
    assert (answer.finish_reason, answer.ending) == ("unknown", "overload")


def messages(*texts: str) -> dict[str, Any]:
    parts = [[{"type": "output_text", "text": text}] for text in texts]
    return responses_answer(output=[{"type": "message", "content": content} for content in parts])


@pytest.mark.parametrize(
    "texts",
    [
        (TYPED, TYPED),
        (TYPED + TYPED,),
        ("I look it up.", TYPED),
        (f"<think>Perhaps {{}}?</think>\n\n```json\n{TYPED}\n```",),
        (f"Two steps, {{a}}:\n{TYPED}\nThat is all.",),
        ('{"steps": "none"}', TYPED),
        ('{"steps"', ': ["a"]}'),
    ],
)
async def test_a_typed_answer_is_the_first_that_fits(
    server: ModelServer, responses: Provider, chat: Provider, ask: Ask, texts: tuple[str, ...]
) -> None:
    server.script(Reply.json(messages(*texts)), Reply.json(chat_answer("".join(texts))))
    for provider in (responses, chat):
        answer = await provider.complete(ask(schema=PLAN), NoDeltas())
        assert answer.text.replace('{"steps": ', "").replace('{"steps"', "").replace(": [", "[") == '["a"]}'


@pytest.mark.parametrize("text", ['{"plan": {"steps": ["a"]}, "and', '{"plan": {"steps": ["a"]} "x"}', "No."])
async def test_a_part_of_a_broken_answer_is_none(server: ModelServer, chat: Provider, ask: Ask, text: str) -> None:
    server.script(Reply.json(chat_answer(text)))
    assert (await chat.complete(ask(schema=PLAN), NoDeltas())).text == text


@pytest.mark.parametrize("declared", [True, False])
async def test_a_stream_that_nobody_asked_for(
    server: ModelServer, responses: Provider, chat: Provider, ask: Ask, declared: bool
) -> None:
    headers = {"content-type": "text/event-stream" if declared else "application/json"}
    for provider, events in ((responses, EVENTS), (chat, [*chat_chunks(chat_answer(TYPED))])):
        server.script(Reply(body=sse(*events), headers=headers))
        assert (await provider.complete(ask(), NoDeltas())).text == TYPED


CALLS = [{"index": 0, "function": {"name": name, "arguments": f'{{"n": {n}}}'}} for n, name in enumerate("aab")]


@pytest.mark.parametrize("ids", [("1", "2", "3"), (None, None, None), ("", "", "")])
async def test_parallel_calls_that_all_have_the_first_index(
    server: ModelServer, chat: Provider, ask: Ask, ids: tuple[Any, ...]
) -> None:
    """Gemini's streams: one call in each chunk (omnigent-ai/omnigent#28, ai-dynamo/dynamo#4723)."""
    chunks = [said(tool_calls=[{**call, "id": id}]) for call, id in zip(CALLS, ids, strict=True)]
    server.script(Reply.stream(*chunks, {"choices": [{"delta": {}, "finish_reason": "stop"}]}, DONE))
    calls = (await chat.complete(ask(stream=True), NoDeltas())).tool_calls
    assert [(call.name, call.arguments) for call in calls] == [("a", '{"n": 0}'), ("a", '{"n": 1}'), ("b", '{"n": 2}')]
    assert len({call.id for call in calls}) == 3


async def test_pieces_of_one_call_with_ids_of_their_own(server: ModelServer, chat: Provider, ask: Ask) -> None:
    pieces: list[Any] = [{"name": "f", "arguments": ""}, {"arguments": '{"x":'}, {"arguments": "1}"}]
    chunks = [said(tool_calls=[{"index": 0, "id": f"a{n}", "function": piece}]) for n, piece in enumerate(pieces)]
    server.script(Reply.stream(*chunks, {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}, DONE))
    [call] = (await chat.complete(ask(stream=True), NoDeltas())).tool_calls
    assert (call.id, call.name, call.arguments) == ("a0", "f", '{"x":1}')


async def test_ids_and_arguments_of_every_type(server: ModelServer, chat: Provider, ask: Ask) -> None:
    calls = [
        {"id": 7, "function": {"name": "a", "arguments": {"x": 1}}},
        {"id": None, "function": {"name": "b", "arguments": ["x"]}},
    ]
    whole = chat_answer(None, message={"tool_calls": calls}, finish_reason="tool_calls", id=12, service_tier=3.5)
    server.script(Reply.json(whole), Reply.stream(*chat_chunks(whole)))
    for stream in (False, True):
        answer = await chat.complete(ask(stream=stream), NoDeltas())
        assert answer.response_id == "12"
        assert answer.service_tier is None
        assert answer.tool_calls == (
            ToolCall(id="7", name="a", arguments='{"x":1}'),
            ToolCall(id="call_1", name="b", arguments='["x"]'),
        )


INVALID = {"message": "max_tokens is too large", "type": "invalid_request_error"}


def routed(code: int, raw: str) -> dict[str, Any]:
    return {"message": "Provider returned error", "code": code, "metadata": {"raw": raw, "provider_name": "Kluster"}}


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        # OpenRouter: BerriAI/litellm#8448; diegosouzapw/OmniRoute#3044, around another vendor's error
        ({"choices": None, "error": routed(429, "error code: 1015")}, RateLimited, "429.*1015"),
        ({"error": routed(400, json.dumps({"error": INVALID}))}, RequestRejected, "too large"),
        # Gemini: google-gemini/gemini-cli#14831; continuedev/continue#10560
        ([{"error": {"code": 429, "message": "Exhausted.", "status": "RESOURCE_EXHAUSTED"}}], RateLimited, "Exhausted"),
        ({"error": {"message": '{"error": {"code": 503, "message": "Busy."}}'}}, ProviderUnavailable, "503.*Busy"),
        # a type that contradicts the code
        ({"error": {"code": "insufficient_quota", "type": "server_error"}}, QuotaExhausted, "insufficient_quota"),
        ({"error": {"code": "invalid_prompt", "type": "server_error"}}, RequestRejected, "invalid_prompt"),
        # Cloudflare, vLLM, FastAPI
        ({"success": False, "errors": [{"code": 10000, "message": "Unauthorized"}]}, AuthenticationFailed, "Unauthor"),
        ({"object": "error", "message": "tools are not supported", "code": 400}, RequestUnsupported, "400.*tools"),
        ({"detail": "Model is loading"}, AnswerLost, "loading"),
    ],
)
async def test_errors_are_read_before_answers(
    server: ModelServer,
    responses: Provider,
    chat: Provider,
    ask: Ask,
    body: object,
    kind: type[ProviderError],
    words: str,
) -> None:
    for provider in (responses, chat):
        server.script(Reply.json(body))
        with pytest.raises(ProviderError, match=words) as caught:
            await provider.complete(ask(), NoDeltas())
        assert type(caught.value) is kind


async def test_an_error_in_a_stream_may_be_a_list(server: ModelServer, chat: Provider, ask: Ask) -> None:
    server.script(Reply.stream(said(content="It"), [{"error": {"code": 503, "message": "The model is overloaded."}}]))
    with pytest.raises(ProviderUnavailable, match=r"503.*overloaded"):
        await chat.complete(ask(stream=True), NoDeltas())
