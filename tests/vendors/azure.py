"""Azure OpenAI."""

from llmflow.errors import AuthenticationFailed, ContentRefused, ModelNotFound, RateLimited
from tests.helpers.model_server import Json
from tests.vendors.vendor import ChatVendor, Failure, chat_whole

FILTERED: Json = {
    "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
    "type": None,
    "param": "prompt",
    "code": "content_filter",
    "status": 400,
    "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {"filtered": True}}},
}


class Azure(ChatVendor):
    """Filters prompts with an error, and answers with a finish reason."""

    name = "azure"
    model = "gpt-4.1-prod"
    path = "/openai/v1"
    sources = (
        "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/concepts/content-filter (not readable here; the"
        " shapes are of https://www.developersdigest.tech/errors/api/azure-openai, which quotes it)",
        "microsoft/azurechat#351",
    )
    thinks = False
    refusal = chat_whole(model, {"role": "assistant", "content": None}, "content_filter")
    failures = (
        Failure(status=400, body={"error": FILTERED}, kind=ContentRefused),
        Failure(
            status=401,
            body={"error": {"code": "401", "message": "Access denied due to invalid subscription key."}},
            kind=AuthenticationFailed,
        ),
        Failure(
            status=404,
            body={"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}},
            kind=ModelNotFound,
        ),
        Failure(
            status=429,
            body={"error": {"code": "429", "message": "Rate limit is exceeded. Please retry after 6 seconds."}},
            kind=RateLimited,
            wait=6,
        ),
    )
