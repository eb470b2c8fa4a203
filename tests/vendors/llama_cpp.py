"""llama.cpp's server, on one's own machine."""

from collections.abc import Iterator

from llmflow.errors import ContextTooLong, ProviderUnavailable
from tests.helpers.model_server import Json
from tests.vendors.vendor import ChatVendor, Failure

LONG = "request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it"


def says(code: int, message: str, kind: str, **fields: int) -> Json:
    return {"error": {"code": code, "message": message, "type": kind, **fields}}


class LlamaCpp(ChatVendor):
    """Streams the arguments of a call in pieces, the first with its name."""

    name = "llama.cpp"
    model = "qwen3-8b.gguf"
    sources = ("ggml-org/llama.cpp#15780, #19774 (context errors), tools/server/README.md (`Loading model`)",)
    thinks = False
    failures = (
        Failure(
            status=400,
            body=says(400, LONG, "exceed_context_size_error", n_prompt_tokens=4390, n_ctx=4096),
            kind=ContextTooLong,
        ),
        Failure(status=200, body=says(400, LONG, "exceed_context_size_error"), kind=ContextTooLong),
        Failure(status=500, body=says(500, "Context size has been exceeded.", "server_error"), kind=ContextTooLong),
        Failure(status=503, body=says(503, "Loading model", "unavailable_error"), kind=ProviderUnavailable),
    )

    def thoughts(self, n: int) -> Json:
        return {"reasoning_content": f"I look up {n}."}

    def deltas(self, message: Json) -> Iterator[Json]:
        yield from super().deltas({**message, "tool_calls": None})
        for index, call in enumerate(message.get("tool_calls") or ()):
            function = call["function"]
            yield {"tool_calls": [{**call, "index": index, "function": {**function, "arguments": ""}}]}
            for at in range(0, len(function["arguments"]), 3):
                yield {"tool_calls": [{"index": index, "function": {"arguments": function["arguments"][at : at + 3]}}]}
