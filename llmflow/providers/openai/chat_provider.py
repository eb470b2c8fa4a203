"""Chat Completions: OpenAI's older API, which vLLM, Ollama and all gateways implement."""

from dataclasses import replace

from llmflow.providers.dialects.failures import judge
from llmflow.providers.openai.chat import ChatAnswer, chat_body, chat_schema
from llmflow.providers.openai.chat_chunks import ChatChunks
from llmflow.providers.openai.chat_dialects import dialect_at
from llmflow.providers.openai.endpoint import Endpoint
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink, ProviderSettings
from llmflow.types.refs import ModelRef


class ChatProvider:
    """Asks any server that implements Chat Completions."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._endpoint = Endpoint(settings)
        dialect = dialect_at(self._endpoint.base_url)
        self._dialect = replace(dialect, limit=settings.limit_field or dialect.limit)

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """See `Provider.complete`.

        Raises:
            RequestUnsupported: also for what the server cannot be told; nothing is sent.
        """
        model = str(ModelRef(self._endpoint.name, request.model))
        schema = chat_schema(request)
        body = chat_body(request, model, schema, self._dialect)
        joined = ChatChunks(sink)
        answer = await self._endpoint.post("/chat/completions", body, ChatAnswer, request.timeout, joined)
        if complaint := answer.complaint():
            raise self._endpoint.billed(judge(complaint, model, self._endpoint.secrets), dict(answer))
        vendor = ModelRef.parse(model).vendor
        return answer.response(request, schema, self._endpoint.base_url, joined.first_token, vendor)

    async def close(self) -> None:
        """See `Provider.close`."""
        await self._endpoint.close()
