"""Mistral."""

from collections.abc import Iterator

from llmflow.errors import AuthenticationFailed, RateLimited, RequestUnsupported
from tests.helpers.model_server import Json
from tests.vendors.vendor import ChatVendor, Failure

EXTRA = {"type": "extra_forbidden", "loc": ["body", "verbosity"], "msg": "Extra inputs are not permitted"}


class Mistral(ChatVendor):
    """Writes its thoughts into parts of the content, and names the field that it does not know."""

    name = "mistral"
    model = "magistral-medium-2509"
    sources = (
        "https://docs.mistral.ai/capabilities/reasoning (not readable here; the shapes are those of mistralai's"
        " models/thinkchunk.py)",
        "https://docs.mistral.ai/api (errors; not readable here)",
    )
    thinks = False
    failures = (
        Failure(status=401, body={"detail": "Unauthorized"}, kind=AuthenticationFailed),
        Failure(
            status=422,
            body={"object": "error", "message": {"detail": [EXTRA]}, "type": "invalid_request_error", "code": None},
            kind=RequestUnsupported,
        ),
        Failure(
            status=429,
            body={"object": "error", "message": "Rate limit exceeded", "type": "rate_limited", "code": "1300"},
            kind=RateLimited,
        ),
    )

    def message(self, n: int, **fields: object) -> Json:
        said = super().message(n, **fields)
        if not said["content"]:
            return said
        thinking = {"type": "thinking", "thinking": [{"type": "text", "text": f"I have looked up {n}."}]}
        return {**said, "content": [thinking, {"type": "text", "text": said["content"]}]}

    def deltas(self, message: Json) -> Iterator[Json]:
        for part in message["content"] or ():
            yield {"content": [part] if part["type"] == "thinking" else part["text"]}
        yield from super().deltas({**message, "content": None})
