"""Kimi, of Moonshot AI."""

from llmflow.errors import (
    AuthenticationFailed,
    ModelNotFound,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
)
from tests.helpers.model_server import Json
from tests.vendors.vendor import ChatVendor, Failure, says


class Kimi(ChatVendor):
    """Wants `reasoning_content` back with every tool call."""

    name = "kimi"
    model = "kimi-k2.6"
    sources = (
        "https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model (not readable here; that the field is sent"
        " back is in https://java.agentscope.io/v2/en/integration/model/kimi)",
        "https://platform.moonshot.ai/docs/api/errors (not readable here; the words are those of public clients)",
    )
    lost = Failure(
        status=400,
        body=says("thinking is enabled but reasoning_content is missing in assistant tool call message at index 1"),
        kind=RequestRejected,
    )
    failures = (
        lost,
        Failure(
            status=401, body=says("Invalid Authentication", "invalid_authentication_error"), kind=AuthenticationFailed
        ),
        Failure(status=404, body=says("Not found the model k9", "resource_not_found_error"), kind=ModelNotFound),
        Failure(
            status=429, body=says("Suspended, check your plan", "exceeded_current_quota_error"), kind=QuotaExhausted
        ),
        Failure(status=429, body=says("Overloaded", "engine_overloaded_error"), kind=ProviderUnavailable),
        Failure(
            status=429,
            body=says("max RPM: 3, please try again after 1 seconds", "rate_limit_reached_error"),
            kind=RateLimited,
            wait=1,
        ),
        Failure(status=500, body=says("Internal", "server_error"), kind=ProviderUnavailable),
    )

    def thoughts(self, n: int) -> Json:
        return {"reasoning_content": f"I look up {n}."}
