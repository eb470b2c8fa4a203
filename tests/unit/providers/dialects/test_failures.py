"""The one table: which failure is which, through the real SDK, and what its message says."""

import pytest

from llmflow.errors import (
    AnswerLost,
    AuthenticationFailed,
    ContentRefused,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
    RequestUnsupported,
)
from llmflow.providers.dialects.complaints import Complaint
from llmflow.providers.dialects.failures import judge
from llmflow.types.providers import NoDeltas, Provider
from tests.helpers.model_server import ModelServer, Reply

from ..conftest import Ask

STATUSES = {
    400: RequestRejected,
    401: AuthenticationFailed,
    402: QuotaExhausted,
    403: AuthenticationFailed,
    404: ModelNotFound,
    405: RequestUnsupported,
    408: ProviderUnavailable,
    409: ProviderUnavailable,
    413: RequestUnsupported,
    422: RequestRejected,
    425: ProviderUnavailable,
    429: RateLimited,
    451: RequestUnsupported,
    498: ProviderUnavailable,
    500: ProviderUnavailable,
    501: ProviderUnavailable,
    502: ProviderUnavailable,
    503: ProviderUnavailable,
    504: AnswerLost,
    529: ProviderUnavailable,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
async def test_statuses(
    server: ModelServer, provider: Provider, ask: Ask, status: int, kind: type[ProviderError]
) -> None:
    server.script(Reply.error(status))
    with pytest.raises(ProviderError, match=f"gpt-5.4 answered {status}") as caught:
        await provider.complete(ask(), NoDeltas())
    assert type(caught.value) is kind
    assert caught.value.detail.status == status
    assert server.count == 1, "no retries of the SDK's own"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "insufficient_quota", QuotaExhausted),
        (429, "billing_hard_limit_reached", QuotaExhausted),
        (429, "rate_limit_exceeded", RateLimited),
        (400, "context_length_exceeded", ContextTooLong),
        (400, "content_policy_violation", ContentRefused),
        (400, "content_filter", ContentRefused),
        (403, "model_not_found", ModelNotFound),
        (400, "model_not_found", ModelNotFound),
        (400, "invalid_api_key", AuthenticationFailed),
        (400, "unsupported_parameter", RequestUnsupported),
    ],
)
async def test_codes(
    server: ModelServer, provider: Provider, ask: Ask, status: int, code: str, kind: type[ProviderError]
) -> None:
    server.script(Reply.error(status, code))
    with pytest.raises(ProviderError) as caught:
        await provider.complete(ask(), NoDeltas())
    assert (type(caught.value), caught.value.detail.code) == (kind, code)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        # OpenAI, vLLM, llama.cpp, Anthropic, Groq, Mistral
        (400, "This model's maximum context length is 8192 tokens. However, you requested 9000.", ContextTooLong),
        (400, "the request exceeds the available context size, try increasing it", ContextTooLong),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", ContextTooLong),
        (413, "Request too large for model `x` on tokens per minute (TPM): Limit 6000", ContextTooLong),
        (429, "Request too large for gpt-4o on tokens per min (TPM): Limit 30000", ContextTooLong),
        (429, "Too many tokens per day, context window of a day", ContextTooLong),
        (429, "Your account was flagged as busy", RateLimited),
        # Azure, OpenAI, OpenRouter
        (400, "The response was filtered due to Azure OpenAI's content management policy", ContentRefused),
        (400, "Your prompt was flagged as potentially violating our usage policy.", ContentRefused),
        (403, "Your input was flagged", ContentRefused),
        # Anthropic, DeepSeek
        (400, "Your credit balance is too low to access the API", QuotaExhausted),
        (402, "Insufficient Balance", QuotaExhausted),
        # OpenRouter, vLLM, Ollama
        (400, "gpt-9 is not a valid model ID", ModelNotFound),
        (404, "The model `gpt-9` does not exist.", ModelNotFound),
        (404, 'model "qwen9" not found, try pulling it first', ModelNotFound),
        (500, "the model was not found in the cache", ProviderUnavailable),
        (500, "Context size has been exceeded.", ContextTooLong),  # llama.cpp
        # Gemini, xAI, Kimi
        (400, "API key not valid. Please pass a valid API key.", AuthenticationFailed),
        (400, "Incorrect API key provided: xx. You can obtain an API key from the console.", AuthenticationFailed),
        (400, "Invalid Authentication", AuthenticationFailed),
        # OpenAI, DeepSeek, Ollama, Mistral, Gemini
        (400, "'response_format' of type 'json_schema' is not supported with this model", RequestUnsupported),
        (400, "This response_format type is unavailable now", RequestUnsupported),
        (400, "registry.ollama.ai/library/phi3 does not support tools", RequestUnsupported),
        (422, "[{'type': 'extra_forbidden', 'msg': 'Extra inputs are not permitted'}]", RequestUnsupported),
        (400, "User location is not supported for the API use.", RequestUnsupported),
        (400, "temperature must be below 2", RequestRejected),
    ],
)
def test_sentences_of_servers_without_codes(status: int, message: str, kind: type[ProviderError]) -> None:
    assert type(judge(Complaint(message, status), "local:m")) is kind


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"message": "no", "object": "error"}, "no"),
        ({"detail": "no"}, "no"),
        ({"detail": [{"loc": ["body"], "msg": "no"}]}, "no"),
        ("no", "no"),
        (["no"], "no"),
        ({}, "it gave no reason"),
        (None, "it gave no reason"),
    ],
)
async def test_words_are_found_wherever_they_are(
    server: ModelServer, chat: Provider, ask: Ask, body: object, said: str
) -> None:
    server.script(Reply.json(body, 400))
    with pytest.raises(RequestRejected, match=said):
        await chat.complete(ask(), NoDeltas())


@pytest.mark.parametrize(
    ("status", "advice", "retry", "said"),
    [
        (400, "true", True, "may succeed later"),
        (401, "true", True, "may succeed later"),
        (429, "true", True, "Make fewer calls"),
        (429, "false", False, "a retry does not help"),
        (503, "false", False, "a retry does not help"),
        (400, "false", False, "Change the request"),
        (500, "perhaps", None, "may succeed later"),
    ],
)
async def test_the_vendor_knows_best(
    server: ModelServer, responses: Provider, ask: Ask, status: int, advice: str, retry: bool | None, said: str
) -> None:
    server.script(Reply.error(status, headers={"X-Should-Retry": advice, "retry-after": "1"}))
    with pytest.raises(ProviderError, match=said) as caught:
        await responses.complete(ask(), NoDeltas())
    assert type(caught.value) is STATUSES[status], "what is wrong stays, and with it whether another candidate helps"
    assert caught.value.detail.retry is retry
    assert (caught.value.detail.retry_after is None) is (retry is False), "waits are for what is retried"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("rate_limit_error", RateLimited),
        ("overloaded_error", AnswerLost),
        ("server_overloaded", AnswerLost),
        ("authentication_error", AuthenticationFailed),
        ("billing_error", QuotaExhausted),
        ("never_heard_of", AnswerLost),
        ("invalid_request_error", RequestRejected),
        ("image_too_large", RequestRejected),
        ("image_content_policy_violation", ContentRefused),
    ],
)
@pytest.mark.parametrize("field", ["code", "type"])
def test_codes_inside_an_answer(code: str, field: str, kind: type[ProviderError]) -> None:
    assert type(judge(Complaint.read({"error": {field: code, "message": "No."}}), "m")) is kind


def test_a_message_says_model_words_trace_and_advice() -> None:
    error = judge(Complaint("No such key.", 401, "invalid_api_key", headers={"x-request-id": "req_7"}), "openai:m")
    assert str(error) == (
        "openai:m answered 401 (invalid_api_key): No such key [request req_7]. "
        "Check the key that models.yaml names for this provider, and its permissions."
    )


def test_long_words_are_cut() -> None:
    page = f"<html>\n\n  {'x' * 5000}"
    assert len(str(judge(Complaint(page, 502), "m"))) < 500
