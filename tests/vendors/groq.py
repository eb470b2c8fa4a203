"""Groq."""

from llmflow.errors import (
    AuthenticationFailed,
    ContextTooLong,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from tests.helpers.model_server import Json
from tests.vendors.vendor import ChatVendor, Failure, says

TPM = "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 9000."
LIMIT = "Rate limit reached for model `x` on requests per day (RPD). Please try again in 7m12.5s."


class Groq(ChatVendor):
    """Sends its thoughts as `reasoning`, and statuses of its own."""

    name = "groq"
    model = "openai/gpt-oss-120b"
    path = "/openai/v1"
    sources = (
        "https://console.groq.com/docs/errors",
        "https://console.groq.com/docs/flex-processing",
        "https://console.groq.com/docs/reasoning (not readable here; `reasoning` is that of its SDK)",
    )
    thinks = False
    failures = (
        Failure(status=400, body=says("Failed to call a function.", code="tool_use_failed"), kind=ProviderUnavailable),
        Failure(status=401, body=says("Invalid API Key", code="invalid_api_key"), kind=AuthenticationFailed),
        Failure(status=413, body=says(TPM, "tokens", "rate_limit_exceeded"), kind=ContextTooLong),
        Failure(status=422, body=says("semantic errors"), kind=RequestRejected),
        Failure(status=429, body=says(LIMIT, "requests", "rate_limit_exceeded"), kind=RateLimited, wait=432.5),
        Failure(status=498, body=says("Flex tier is full", code="capacity_exceeded"), kind=ProviderUnavailable),
    )

    def thoughts(self, n: int) -> Json:
        return {"reasoning": f"I look up {n}."}
