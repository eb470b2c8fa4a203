"""OpenRouter, with a model of Anthropic behind it."""

from collections.abc import Iterator

from llmflow.errors import (
    AuthenticationFailed,
    ContentRefused,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
)
from tests.helpers.model_server import Json
from tests.vendors.vendor import ChatVendor, Failure

FLAGGED = {"reasons": ["violence"], "flagged_input": "...", "provider_name": "OpenAI", "model_slug": "openai/gpt-5"}
RAW = '{"type":"error","error":{"type":"invalid_request_error","message":"Expected `thinking`, but found `text`"}}'
FORMAT = {"format": "anthropic-claude-v1"}


def says(code: int, message: str, **metadata: object) -> Json:
    error: Json = {"code": code, "message": message}
    return {"error": {**error, "metadata": metadata} if metadata else error, "user_id": "user_1"}


class OpenRouter(ChatVendor):
    """Wants `reasoning_details` back as they came; in a stream, they come in pieces."""

    name = "openrouter"
    model = "anthropic/claude-sonnet-5"
    path = "/api/v1"
    sources = (
        "https://openrouter.ai/docs/guides/best-practices/reasoning-tokens (not readable here; the shapes are those of",
        "@openrouter/ai-sdk-provider, src/schemas/reasoning-details.ts)",
        "https://openrouter.ai/docs/api/reference/errors-and-debugging",
        "open-webui/computer#293, diegosouzapw/OmniRoute#3044 (`metadata.raw`)",
    )
    lost = Failure(
        status=400, body=says(400, "Provider returned error", raw=RAW, provider_name="Anthropic"), kind=RequestRejected
    )
    failures = (
        lost,
        Failure(status=401, body=says(401, "No auth credentials found"), kind=AuthenticationFailed),
        Failure(status=402, body=says(402, "Insufficient credits. Add more."), kind=QuotaExhausted),
        Failure(status=403, body=says(403, "Your input was flagged", **FLAGGED), kind=ContentRefused),
        Failure(
            status=429,
            body=says(429, "Provider returned error", raw="temporarily rate-limited upstream. Please retry shortly"),
            kind=RateLimited,
        ),
        Failure(status=200, body={**says(502, "Provider returned error"), "choices": None}, kind=ProviderUnavailable),
        Failure(status=503, body=says(503, "No provider available"), kind=ProviderUnavailable),
    )

    def thoughts(self, n: int) -> Json:
        text = {"type": "reasoning.text", "text": f"I look up {n}.", "signature": f"sig{n}", **FORMAT}
        hidden = {"type": "reasoning.encrypted", "data": f"gAAAA{n}", "id": "rs_1", **FORMAT}
        return {"reasoning_details": [{**text, "index": 0}, {**hidden, "index": 1}]}

    def message(self, n: int, **fields: object) -> Json:
        return {**super().message(n, **fields), "reasoning": f"I look up {n}."}

    def deltas(self, message: Json) -> Iterator[Json]:
        text, hidden = message["reasoning_details"]
        rest = {name: value for name, value in text.items() if name not in {"text", "signature"}}
        for piece in ("I look", text["text"].removeprefix("I look")):
            yield {"content": "", "reasoning": piece, "reasoning_details": [{**rest, "text": piece}]}
        yield {"content": "", "reasoning_details": [{**rest, "signature": text["signature"]}]}
        yield {"content": "", "reasoning_details": [hidden]}
        said = {name: value for name, value in message.items() if name not in {"reasoning", "reasoning_details"}}
        yield from super().deltas(said)
