"""OpenAI's Chat Completions."""

from llmflow.errors import ContextTooLong, ModelNotFound, RequestUnsupported
from tests.vendors.vendor import ChatVendor, Failure, chat_whole, says


class OpenAIChat(ChatVendor):
    """Keeps its thoughts, so that nothing comes back; a refusal has a field of its own."""

    name = "openai-chat"
    model = "gpt-4.1"
    sources = ("openai 3.57: types/chat/chat_completion_message.py, types/chat/chat_completion_chunk.py",)
    thinks = False
    refusal = chat_whole(model, {"role": "assistant", "content": None, "refusal": "I cannot help with that."}, "stop")
    failures = (
        Failure(status=404, body=says("The model `x` does not exist.", code="model_not_found"), kind=ModelNotFound),
        Failure(status=400, body=says("Too long.", code="context_length_exceeded"), kind=ContextTooLong),
        Failure(
            status=400,
            body=says("'response_format' of type 'json_schema' is not supported with this model."),
            kind=RequestUnsupported,
        ),
    )
