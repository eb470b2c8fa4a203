"""Anthropic's Messages API, asked through litellm."""

from collections.abc import Iterable

from llmflow.errors import (
    AuthenticationFailed,
    ContextTooLong,
    ModelNotFound,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    RequestUnsupported,
)
from llmflow.providers.litellm.provider import LitellmProvider
from tests.helpers.model_server import Json, Reply
from tests.vendors.vendor import ROUNDS, TEXT, TYPED, Failure, Vendor


def says(kind: str, message: str) -> Json:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_7"}


def thought(n: int) -> Json:
    return {"type": "thinking", "thinking": f"I look up {n}.", "signature": f"EqQBCg{n}=="}


def call(n: int) -> Json:
    return {"type": "tool_use", "id": f"toolu_{n}", "name": "look_up", "input": {"n": n}}


SEARCHED: tuple[Json, ...] = (
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "three"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
)
"""A tool that the vendor ran itself: nobody has to answer it."""


def answers(*content: Json, stop_reason: str = "end_turn") -> Json:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [*content],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 20},
    }


class Anthropic(Vendor):
    """Wants the signed thinking block back before each tool call."""

    name = "anthropic"
    model = "anthropic/claude-sonnet-4-5"
    path = ""
    sources = (
        "litellm 1.110: llms/anthropic/chat/transformation.py",
        "https://docs.claude.com/en/docs/build-with-claude/extended-thinking (not readable here; the shapes are those"
        " that litellm reads)",
        "https://docs.claude.com/en/api/errors",
    )
    connect = LitellmProvider
    streams = False
    refusal = answers({"type": "text", "text": "I cannot help with that."}, stop_reason="refusal")
    lost = Failure(
        status=400,
        body=says("invalid_request_error", "messages.1.content.0.type: Expected `thinking`, but found `tool_use`."),
        kind=RequestRejected,
    )
    failures = (
        lost,
        Failure(status=400, body=says("invalid_request_error", "prompt is too long: 9 > 8"), kind=ContextTooLong),
        Failure(status=400, body=says("invalid_request_error", "Your credit balance is too low"), kind=QuotaExhausted),
        Failure(status=401, body=says("authentication_error", "invalid x-api-key"), kind=AuthenticationFailed),
        Failure(status=404, body=says("not_found_error", "model: claude-9"), kind=ModelNotFound),
        Failure(status=413, body=says("request_too_large", "Request exceeds the size."), kind=RequestUnsupported),
        Failure(
            status=429,
            body=says("rate_limit_error", "Number of tokens has exceeded your limit."),
            headers={"retry-after": "7"},
            kind=RateLimited,
            wait=7,
        ),
        Failure(status=529, body=says("overloaded_error", "Overloaded"), kind=ProviderUnavailable),
    )

    def answer(self, asked: Json) -> Json | Reply:
        messages = asked["messages"]
        n = 0
        for message in messages:
            if message["role"] == "assistant":
                blocks = message["content"]
                if thought(n) not in blocks or blocks.index(thought(n)) > blocks.index(call(n)):
                    return Reply.json(self.lost.body, self.lost.status)
                n += 1
        if asked.get("tools") and n < ROUNDS:
            return answers(thought(n), *SEARCHED, call(n), stop_reason="tool_use")
        typed = "output_format" in asked or "JSON schema" in str(asked.get("system"))
        return answers(thought(n), {"type": "text", "text": TYPED if typed else TEXT})

    def events(self, answer: Json) -> Iterable[object]:
        raise NotImplementedError("llmflow asks litellm for no streams")
