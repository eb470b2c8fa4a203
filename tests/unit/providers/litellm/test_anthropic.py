"""Anthropic through litellm: another API than OpenAI's, with failures, counts and names of its own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from llmflow.errors import (
    AnswerLost,
    AuthenticationFailed,
    ContentRefused,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    RequestUnsupported,
)
from llmflow.providers.jitter import JITTER
from llmflow.providers.litellm.provider import LitellmProvider
from llmflow.types.messages import Image, Message, ToolCall, ToolResult
from llmflow.types.models import ModelRequest
from llmflow.types.providers import NoDeltas, Provider, ProviderSettings
from llmflow.types.tools import ToolSpec
from llmflow.types.usage import Usage
from tests.helpers.model_server import DROPPED, Json, ModelServer, Reply

from ..conftest import KEY, Ask

PLAN = {"type": "object", "properties": {"steps": {"type": "array", "items": {"type": "string"}}}}
PUT = ToolSpec(name="put", description="Puts.", json_schema={"type": "object", "properties": {}})


def anthropic_answer(*content: object, stop_reason: str = "end_turn", **usage: object) -> Reply:
    """A good answer of the Messages API."""
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": content or [{"type": "text", "text": "ok"}],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 20, **usage},
    }
    return Reply.json(body)


def anthropic_error(status: int, kind: str, message: str = "No.", **headers: str) -> Reply:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_7"}
    return Reply.json(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
async def claude(server: ModelServer) -> AsyncIterator[Provider]:
    provider = LitellmProvider(ProviderSettings(name="anthropic", base_url=server.url.removesuffix("/v1"), key=KEY))
    yield provider
    await provider.close()


@pytest.fixture
def ask(ask: Ask) -> Ask:
    def make(*messages: Message, **changes: Any) -> ModelRequest:
        return ask(*messages, **changes).model_copy(update={"model": "anthropic/claude-sonnet-4-5"})

    return make


async def test_a_request(server: ModelServer, claude: Provider, ask: Ask) -> None:
    server.script(anthropic_answer())
    request = ask(
        Message.system("Be brief."),
        Message.user("Look:", Image(media_type="image/png", data=b"\x01")),
        Message.assistant(ToolCall(id="c1", name="put", arguments='{"query": "x"}')),
        Message.user(ToolResult(id="c1", text="found")),
        max_output_tokens=99,
        temperature=0,
        tool_choice="put",
    ).model_copy(update={"tools": (PUT,)})
    await claude.complete(request, NoDeltas())
    (sent,) = server.requests
    assert (sent.path, sent.headers["x-api-key"]) == ("/v1/messages", KEY)
    body = sent.json
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("claude-sonnet-4-5", 99, 0)
    assert body["system"] == [{"type": "text", "text": "Be brief."}]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][0]["content"][1]["source"] == {"type": "base64", "media_type": "image/png", "data": "AQ=="}
    assert body["messages"][1]["content"] == [{"type": "tool_use", "id": "c1", "name": "put", "input": {"query": "x"}}]
    assert [tool["name"] for tool in body["tools"]] == ["put"]
    assert (body["tool_choice"]["type"], body["tool_choice"]["name"]) == ("tool", "put")


async def test_cached_tokens_are_counted_once_and_inside_the_input(
    server: ModelServer, claude: Provider, ask: Ask
) -> None:
    counts: Json = {"cache_creation_input_tokens": 100, "cache_read_input_tokens": 1000, "service_tier": "priority"}
    server.script(anthropic_answer(**counts))
    answer = await claude.complete(ask(), NoDeltas())
    assert answer.usage == Usage(input_tokens=1110, output_tokens=20, cache_read_tokens=1000, cache_write_tokens=100)
    assert (answer.model, answer.service_tier) == ("claude-sonnet-4-5-20250929", "priority")
    assert answer.reported_usd is None


async def test_what_stays_in_the_cache_for_an_hour_is_counted_apart(
    server: ModelServer, claude: Provider, ask: Ask
) -> None:
    stays = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}
    server.script(anthropic_answer(cache_creation_input_tokens=100, cache_creation=stays))
    answer = await claude.complete(ask(), NoDeltas())
    assert (answer.usage.cache_write_tokens, answer.usage.cache_write_1h_tokens) == (100, 70)


async def test_tool_calls(server: ModelServer, claude: Provider, ask: Ask) -> None:
    said = {"type": "text", "text": "I put."}
    used = {"type": "tool_use", "id": "toolu_1", "name": "put", "input": {"query": "x"}}
    server.script(anthropic_answer(said, used, stop_reason="tool_use"))
    answer = await claude.complete(ask().model_copy(update={"tools": (PUT,)}), NoDeltas())
    assert (answer.text, answer.finish_reason) == ("I put.", "tool_calls")
    assert [(call.id, call.name, call.values()) for call in answer.tool_calls] == [("toolu_1", "put", {"query": "x"})]
    assert answer.response_id in {None, "msg_1"}, "the vendor's or none"


async def test_typed_output(server: ModelServer, claude: Provider, ask: Ask) -> None:
    server.script(anthropic_answer({"type": "text", "text": '{"steps": ["a"]}'}))
    answer = await claude.complete(ask(schema=PLAN), NoDeltas())
    assert answer.text == '{"steps": ["a"]}'
    assert server.requests[0].json["output_format"]["schema"]["required"] == ["steps"]


@pytest.mark.parametrize(
    ("stop_reason", "ours"), [("end_turn", "stop"), ("max_tokens", "length"), ("refusal", "refused")]
)
async def test_why_it_ended(server: ModelServer, claude: Provider, ask: Ask, stop_reason: str, ours: str) -> None:
    server.script(anthropic_answer(stop_reason=stop_reason))
    answer = await claude.complete(ask(), NoDeltas())
    assert (answer.finish_reason, answer.usage.output_tokens) == (ours, 20)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (anthropic_error(400, "invalid_request_error"), RequestRejected),
        (anthropic_error(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000"), ContextTooLong),
        (anthropic_error(400, "invalid_request_error", "Your credit balance is too low"), QuotaExhausted),
        (anthropic_error(400, "invalid_request_error", "Output blocked by content filter"), ContentRefused),
        (anthropic_error(401, "authentication_error"), AuthenticationFailed),
        (anthropic_error(403, "permission_error"), AuthenticationFailed),
        (anthropic_error(404, "not_found_error", "model: claude-9"), ModelNotFound),
        (anthropic_error(413, "request_too_large"), RequestUnsupported),
        (anthropic_error(429, "rate_limit_error"), RateLimited),
        (anthropic_error(500, "api_error"), ProviderUnavailable),
        (anthropic_error(504, "timeout_error"), AnswerLost),
        (anthropic_error(529, "overloaded_error", "Overloaded"), ProviderUnavailable),
        (Reply(status=502, body=b"<html>Bad Gateway</html>"), ProviderUnavailable),
    ],
)
async def test_failures(
    server: ModelServer, claude: Provider, ask: Ask, reply: Reply, kind: type[ProviderError]
) -> None:
    server.script(reply)
    with pytest.raises(ProviderError) as caught:
        await claude.complete(ask(), NoDeltas())
    assert type(caught.value) is kind
    assert caught.value.detail.status == reply.status, "the vendor's, not litellm's"
    assert server.count == 1


async def test_an_overload_says_when_to_come_back_and_which_request_it_was(
    server: ModelServer, claude: Provider, ask: Ask
) -> None:
    server.script(anthropic_error(529, "overloaded_error", "Overloaded", retry_after="20", request_id="req_7"))
    with pytest.raises(ProviderUnavailable) as caught:
        await claude.complete(ask(), NoDeltas())
    assert str(caught.value).startswith(
        "anthropic:anthropic/claude-sonnet-4-5 answered 529 (overloaded_error): Overloaded [request req_7]. It asks to"
    )
    assert 20 <= (caught.value.detail.retry_after or 0) <= 20 * (1 + JITTER)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (DROPPED, "ReadError"),
        (Reply(body=b"<html>welcome to the airport</html>"), "Invalid JSON"),
        (Reply(body=b'{"id": "msg_1", "content": ['), "Invalid JSON"),
    ],
)
async def test_a_broken_answer_may_be_asked_for_again(
    server: ModelServer, claude: Provider, ask: Ask, reply: Reply, said: str
) -> None:
    server.script(reply)
    with pytest.raises(ProviderUnavailable, match=said):
        await claude.complete(ask(), NoDeltas())
    assert server.count == 1


@pytest.mark.parametrize("message", [f"invalid x-api-key: {KEY}", f"{'x' * 290} {KEY}"])
async def test_a_key_is_in_no_error(server: ModelServer, claude: Provider, ask: Ask, message: str) -> None:
    server.script(anthropic_error(401, f"bad_{KEY}", message, request_id=KEY))
    with pytest.raises(AuthenticationFailed) as caught:
        await claude.complete(ask(), NoDeltas())
    assert KEY[:14] not in f"{caught.value!r} {caught.value.detail!r}"
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
