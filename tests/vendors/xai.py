"""xAI."""

from llmflow.errors import AuthenticationFailed, QuotaExhausted, RateLimited, RequestRejected
from tests.helpers.model_server import Json
from tests.vendors.vendor import ChatVendor, Failure

KEY = "Incorrect API key provided: na***ys. You can obtain an API key from https://console.x.ai."
CREDITS = "Your team has used all available credits or reached its monthly spending limit: insufficient credits."


class Xai(ChatVendor):
    """Answers 400 to a bad key, in a format of its own."""

    name = "xai"
    model = "grok-4-fast"
    sources = (
        "https://docs.x.ai/docs/key-information/debugging (not readable here)",
        "openai/codex#1352, continuedev/continue#10778 (a bad key), nocmt/LLMSearchPlus#2 (the format)",
    )
    thinks = False
    failures = (
        Failure(
            status=400,
            body={"code": "Client specified an invalid argument", "error": KEY},
            kind=AuthenticationFailed,
        ),
        Failure(
            status=400,
            body={"code": "Client specified an invalid argument", "error": "A single `text` element per message."},
            kind=RequestRejected,
        ),
        Failure(status=403, body={"code": "Forbidden", "error": CREDITS}, kind=QuotaExhausted),
        Failure(status=429, body={"code": "Some resource has been exhausted", "error": "Slow."}, kind=RateLimited),
    )

    def thoughts(self, n: int) -> Json:
        return {"reasoning_content": f"I look up {n}."}
