"""OpenAI's Responses API."""

import json
from collections.abc import Iterator
from typing import Any

from llmflow.errors import (
    AnswerLost,
    AuthenticationFailed,
    ContextTooLong,
    ModelNotFound,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    RequestUnsupported,
)
from llmflow.providers.openai.responses import ResponsesProvider
from tests.helpers.model_server import Json, Reply, responses_answer, responses_events
from tests.vendors.vendor import ROUNDS, TEXT, TYPED, Failure, Vendor


def says(message: str, code: str | None, kind: str = "invalid_request_error", param: str | None = None) -> Json:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def thought(n: int) -> Json:
    return {"id": f"rs_{n}", "type": "reasoning", "summary": [], "encrypted_content": f"gAAAAAB{n}"}


def call(n: int) -> Json:
    function = {"name": "look_up", "arguments": json.dumps({"n": n})}
    return {"id": f"fc_{n}", "type": "function_call", "status": "completed", "call_id": f"call_{n}", **function}


def said(text: str, kind: str = "output_text", **fields: object) -> Json:
    content: Json = {"type": kind, "text" if kind == "output_text" else kind: text}
    return {"id": "msg_1", "type": "message", "role": "assistant", "content": [content], **fields}


def commentary(n: int) -> Json:
    return said(f"I look up {n}.", phase="commentary")


class OpenAIResponses(Vendor):
    """Keeps nothing (`store: false`), so that a call without the encrypted thought before it is refused."""

    name = "openai"
    model = "gpt-5.4"
    sources = (
        "openai 3.57: types/responses/response_reasoning_item.py, response_output_message.py, response_stream_event.py",
        "https://cookbook.openai.com/examples/responses_api/reasoning_items",
        "https://platform.openai.com/docs/guides/error-codes (not readable here; the shapes are of public reports)",
    )
    connect = ResponsesProvider
    refusal = responses_answer(output=[said("I cannot help with that.", "refusal")])
    lost = Failure(
        status=400,
        body=says("Item 'fc_0' of type 'function_call' was provided without its required 'reasoning' item", None),
        kind=RequestRejected,
    )
    failures = (
        lost,
        Failure(status=401, body=says("Incorrect API key.", "invalid_api_key"), kind=AuthenticationFailed),
        Failure(status=400, body=says("Too long.", "context_length_exceeded", param="input"), kind=ContextTooLong),
        Failure(
            status=400,
            body=says("Unsupported value: 'temperature' does not support 0.", "unsupported_value", param="temperature"),
            kind=RequestUnsupported,
        ),
        Failure(status=404, body=says("The model `x` does not exist.", "model_not_found"), kind=ModelNotFound),
        Failure(
            status=429,
            body=says("Rate limit reached for gpt-5.4. Please try again in 1.5s.", "rate_limit_exceeded", "tokens"),
            kind=RateLimited,
            wait=1.5,
        ),
        Failure(status=429, body=says("Quota.", "insufficient_quota", "insufficient_quota"), kind=QuotaExhausted),
        Failure(
            status=200,
            body=responses_answer(status="failed", output=[], error={"code": "server_error", "message": "Oh."}),
            kind=AnswerLost,
        ),
        Failure(status=500, body=says("The server had an error.", None, "server_error"), kind=ProviderUnavailable),
    )

    def answer(self, asked: Json) -> Json | Reply:
        items: list[Any] = asked["input"]
        n = sum(item.get("type") == "function_call_output" for item in items)
        for made in range(n):
            at = next(at for at, item in enumerate(items) if item.get("call_id") == f"call_{made}")
            before = {"role": "assistant", "content": commentary(made)["content"], "phase": "commentary"}
            if items[at - 1] != thought(made) or items[at - 2] != before:
                return Reply.json(self.lost.body, self.lost.status)
        if asked.get("tools") and n < ROUNDS:
            assert asked["include"] == ["reasoning.encrypted_content"]
            return responses_answer(output=[commentary(n), thought(n), call(n)])
        text = TYPED if asked.get("text", {}).get("format") or "JSON schema" in str(items[0]) else TEXT
        return responses_answer(output=[thought(n), said(text, phase="final_answer")])

    def events(self, answer: Json) -> Iterator[object]:
        return responses_events(answer)
