"""DeepSeek."""

from typing import Any

from llmflow.errors import (
    AuthenticationFailed,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    RequestUnsupported,
)
from tests.helpers.model_server import Json, Reply
from tests.vendors.vendor import ChatVendor, Failure


def says(message: str, kind: str = "invalid_request_error", code: str | None = "invalid_request_error") -> Json:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


class DeepSeek(ChatVendor):
    """Wants `reasoning_content` back with every tool call, also an empty one; it has no JSON schemas."""

    name = "deepseek"
    model = "deepseek-v4-pro"
    path = ""
    mode = "json_object"
    sources = (
        "https://api-docs.deepseek.com/guides/thinking_mode",
        "https://api-docs.deepseek.com/quick_start/error_codes",
        "https://api-docs.deepseek.com/guides/json_mode",
        "anomalyco/opencode#24083 (the error for lost thoughts), deepseek-ai/deepseek-harness#739 (empty ones)",
    )
    lost = Failure(
        status=400,
        body=says("The reasoning_content in the thinking mode must be passed back to the API."),
        kind=RequestRejected,
    )
    no_schemas = Failure(status=400, body=says("This response_format type is unavailable now"), kind=RequestUnsupported)
    no_choice = Failure(
        status=400, body=says("Thinking mode does not support this tool_choice"), kind=RequestUnsupported
    )
    failures = (
        lost,
        no_choice,
        no_schemas,
        Failure(
            status=401,
            body=says("Authentication Fails, Your api key: ****cdef is invalid", "authentication_error"),
            kind=AuthenticationFailed,
        ),
        Failure(status=402, body=says("Insufficient Balance", "unknown_error"), kind=QuotaExhausted),
        Failure(status=422, body=says("Failed to deserialize the JSON body"), kind=RequestRejected),
        Failure(status=429, body=says("Rate limit reached"), kind=RateLimited),
        Failure(status=503, body=says("Server overloaded", "server_error"), kind=ProviderUnavailable),
    )

    def thoughts(self, n: int) -> Json:
        return {"reasoning_content": "" if n == 1 else f"I look up {n}."}

    def answer(self, asked: Json) -> Json | Reply:
        if asked.get("response_format", {}).get("type") == "json_schema":
            return Reply.json(self.no_schemas.body, self.no_schemas.status)
        if isinstance(asked.get("tool_choice"), dict):
            return Reply.json(self.no_choice.body, self.no_choice.status)
        return super().answer(asked)

    def deltas(self, message: Json) -> Any:
        if message.get("reasoning_content") == "":
            yield {"role": "assistant", "content": None, "reasoning_content": ""}
        yield from super().deltas(message)
