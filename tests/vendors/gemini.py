"""Gemini's door for OpenAI's clients."""

from collections.abc import Iterator

from llmflow.errors import (
    AuthenticationFailed,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    RequestUnsupported,
)
from tests.helpers.model_server import DONE, Json
from tests.vendors.vendor import ChatVendor, Failure


def google(code: int, status: str, message: str, *details: Json) -> Json:
    error: Json = {"code": code, "message": message, "status": status}
    return {"error": {**error, "details": [*details]} if details else error}


BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.074824224s"}
LOST = "Function call is missing a thought_signature in functionCall parts. This is required for tools to work"


class Gemini(ChatVendor):
    """Signs each tool call, and sends all calls of a stream with the index 0."""

    name = "gemini"
    model = "gemini-3-pro-preview"
    path = "/v1beta/openai"
    sources = (
        "https://ai.google.dev/gemini-api/docs/openai",
        "https://ai.google.dev/gemini-api/docs/thought-signatures",
        "https://ai.google.dev/gemini-api/docs/troubleshooting",
        "https://discuss.ai.google.dev/t/109823 (the list around an error; `extra_content` in deltas)",
        "google-gemini/gemini-cli#14831",
    )
    lost = Failure(status=400, body=[google(400, "INVALID_ARGUMENT", LOST)], kind=RequestRejected)
    failures = (
        lost,
        Failure(
            status=400,
            body=[google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", BAD_KEY)],
            kind=AuthenticationFailed,
        ),
        Failure(
            status=400,
            body=[google(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")],
            kind=RequestUnsupported,
        ),
        Failure(
            status=429,
            body=[google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", RETRY)],
            kind=RateLimited,
            wait=34,
        ),
        Failure(
            status=503,
            body=[google(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")],
            kind=ProviderUnavailable,
        ),
    )

    def signed(self, n: int) -> Json:
        return {"extra_content": {"google": {"thought_signature": f"CrICAdHtim{n}=="}}}

    def events(self, answer: Json) -> Iterator[object]:
        *chunks, end, usage, _ = super().events(answer)
        yield from chunks
        assert isinstance(end, dict)
        assert isinstance(usage, dict)
        yield {**end, "usage": usage["usage"]}
        yield DONE

    def deltas(self, message: Json) -> Iterator[Json]:
        for delta in super().deltas(message):
            calls = [{**call, "index": 0} for call in delta.get("tool_calls", ())]
            yield {**delta, "tool_calls": calls} if calls else delta
