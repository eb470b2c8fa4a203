"""Chat Completions: OpenAI's older API, which vLLM, Ollama and all gateways implement."""

from llmflow.providers.dialects.failures import judge
from llmflow.providers.hosts import is_at
from llmflow.providers.openai.chat import ChatAnswer, chat_body, chat_schema
from llmflow.providers.openai.chat_chunks import ChatChunks
from llmflow.providers.openai.endpoint import Endpoint
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink, ProviderSettings
from llmflow.types.refs import ModelRef

_RENAMED_LIMIT = ("openai.com", "openai.azure.com", "services.ai.azure.com", "openrouter.ai")


class ChatProvider:
    """Asks any server that implements Chat Completions."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._endpoint = Endpoint(settings)
        self._limit = settings.limit_field or limit_field(self._endpoint.base_url)

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """See `Provider.complete`.

        Raises:
            RequestRejected: also for a file by URL, which this API does not support; nothing is sent.
        """
        model = str(ModelRef(self._endpoint.name, request.model))
        schema = chat_schema(request)
        body = chat_body(request, model, schema, self._limit)
        joined = ChatChunks(sink)
        answer = await self._endpoint.post("/chat/completions", body, ChatAnswer, request.timeout, joined)
        if complaint := answer.complaint():
            raise self._endpoint.billed(judge(complaint, model, self._endpoint.secrets), dict(answer))
        vendor = ModelRef.parse(model).vendor
        return answer.response(request, schema, self._endpoint.base_url, joined.first_token, vendor)

    async def close(self) -> None:
        """See `Provider.close`."""
        await self._endpoint.close()


def limit_field(base_url: str) -> str:
    """Return a server's name of the token limit, if models.yaml does not name it.

    OpenAI's reasoning models refuse the old name, `max_tokens`. Mistral refuses the new one, and some local servers
    ignore it, which would mean no limit. So only servers known to accept the new name get it.
    """
    return "max_completion_tokens" if is_at(base_url, *_RENAMED_LIMIT) else "max_tokens"
