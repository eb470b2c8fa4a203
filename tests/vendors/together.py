"""Together."""

from typing import Any

from llmflow.errors import AuthenticationFailed, ContextTooLong, ModelNotFound, ProviderUnavailable
from tests.helpers.model_server import Json
from tests.vendors.vendor import ChatVendor, Failure, says

LONG = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. The prompt is too long."


class Together(ChatVendor):
    """Ends answers with `eos`."""

    name = "together"
    model = "deepseek-ai/DeepSeek-V3.1"
    sources = (
        "https://docs.together.ai/docs/kimi-k2-thinking-quickstart (`reasoning`)",
        "https://docs.together.ai/docs/error-codes (not readable here; the words are those of public reports)",
    )
    thinks = False
    failures = (
        Failure(status=401, body=says("Invalid API key provided.", code="invalid_api_key"), kind=AuthenticationFailed),
        Failure(status=404, body=says("Unable to access model x.", code="model_not_available"), kind=ModelNotFound),
        Failure(status=422, body=says(LONG), kind=ContextTooLong),
        Failure(status=503, body=says("The engine is overloaded.", "service_unavailable"), kind=ProviderUnavailable),
    )

    def thoughts(self, n: int) -> Json:
        return {"reasoning": f"I look up {n}."}

    def whole(self, message: Json, finish_reason: str) -> Any:
        return super().whole(message, "eos" if finish_reason == "stop" else finish_reason)
