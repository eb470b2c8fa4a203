"""vLLM, on one's own machines."""

from llmflow.errors import ContextTooLong, ModelNotFound, RequestRejected
from tests.helpers.model_server import Json, Reply
from tests.vendors.vendor import ChatVendor, Failure, says

LONG = "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."


def bare(message: str, kind: str, code: int) -> Json:
    return {"object": "error", "message": message, "type": kind, "param": None, "code": code}


class Vllm(ChatVendor):
    """Has errors without an `error`, and with a parser of thoughts `reasoning_content`."""

    name = "vllm"
    model = "Qwen/Qwen3-32B"
    sources = (
        "vllm: entrypoints/openai/protocol.py (ErrorResponse; not readable here, both formats are of public reports)",
        "https://docs.vllm.ai/en/latest/features/reasoning_outputs.html",
    )
    thinks = False
    failures = (
        Failure(status=400, body=bare(LONG, "BadRequestError", 400), kind=ContextTooLong),
        Failure(status=404, body=says("The model `x` does not exist.", "NotFoundError", 404), kind=ModelNotFound),
        Failure(
            status=400, body=says("temperature must be non-negative", "BadRequestError", 400), kind=RequestRejected
        ),
    )

    def thoughts(self, n: int) -> Json:
        return {"reasoning_content": f"I look up {n}."}

    def answer(self, asked: Json) -> Json | Reply:
        """Think inside of the text, as a server without a parser of thoughts does."""
        answer = super().answer(asked)
        if isinstance(answer, dict) and "response_format" in asked:
            message = answer["choices"][0]["message"]
            message["content"] = f"<think>\n{{}}?\n</think>\n\n{message['content']}"
        return answer
