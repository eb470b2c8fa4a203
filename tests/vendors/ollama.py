"""Ollama, on one's own machine."""

from collections.abc import Iterator

from llmflow.errors import ModelNotFound, ProviderUnavailable, RequestUnsupported
from tests.helpers.model_server import DONE, Json
from tests.vendors.vendor import ChatVendor, Failure, says


class Ollama(ChatVendor):
    """Sends a call whole, and no usage in a stream unless asked."""

    name = "ollama"
    model = "qwen3:8b"
    sources = (
        "https://docs.ollama.com/api/openai-compatibility",
        "ollama/ollama: openai/openai.go (ErrorResponse, toToolCalls; not readable here)",
    )
    thinks = False
    failures = (
        Failure(status=404, body=says('model "x" not found, try pulling it first', "api_error"), kind=ModelNotFound),
        Failure(
            status=400,
            body=says("registry.ollama.ai/library/phi3 does not support tools", "api_error"),
            kind=RequestUnsupported,
        ),
        Failure(status=500, body={"error": "llama runner process has terminated"}, kind=ProviderUnavailable),
    )

    def thoughts(self, n: int) -> Json:
        return {"reasoning": f"I look up {n}."}

    def events(self, answer: Json) -> Iterator[object]:
        """Send the usage in a chunk with empty choices, and a role in every chunk."""
        for event in super().events(answer):
            if isinstance(event, dict) and event["choices"]:
                event["choices"][0]["delta"]["role"] = "assistant"
            if event != DONE:
                yield event
