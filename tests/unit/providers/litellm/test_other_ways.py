"""litellm's own ways to Bedrock, Gemini, Vertex AI and Anthropic: bodies, masks, bills, packages that are not there."""

import gzip
import sys
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from llmflow.errors import AnswerUnreadable, ProviderError, ProviderUnavailable
from llmflow.providers.litellm.provider import LitellmProvider
from llmflow.providers.openai.bodies import MAX_ANSWER
from llmflow.types.messages import Message
from llmflow.types.models import Billed, ModelOptions, ModelRequest, ModelResponse
from llmflow.types.providers import NoDeltas, Provider, ProviderSettings
from llmflow.types.usage import Usage
from tests.helpers.model_server import Json, ModelServer, Reply

from ..conftest import KEY

pytestmark = pytest.mark.filterwarnings("ignore:Item.* `ReadOnly` qualifier:UserWarning")  # pydantic's, as elsewhere

BEDROCK = "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0"
GEMINI = "gemini/gemini-2.5-pro"
CLAUDE = "anthropic/claude-sonnet-4-5"


@pytest.fixture
async def provider(server: ModelServer) -> AsyncIterator[Provider]:
    provider = LitellmProvider(ProviderSettings(name="v", base_url=server.url.removesuffix("/v1"), key=KEY))
    yield provider
    await provider.close()


async def asked(provider: Provider, model: str) -> ModelResponse:
    options = ModelOptions(
        max_output_tokens=99, extra={"aws_region_name": "eu-central-1"} if model == BEDROCK else None
    )
    request = ModelRequest(model=model, messages=(Message.user("hi"),), options=options, timeout=30)
    return await provider.complete(request, NoDeltas())


@pytest.mark.parametrize("model", [BEDROCK, GEMINI, CLAUDE])
async def test_bodies_have_a_limit(server: ModelServer, provider: Provider, model: str) -> None:
    bomb = gzip.compress(b"[" + b"0," * (MAX_ANSWER // 2 + 1) + b"0]")
    server.script(Reply(body=bomb, headers={"content-encoding": "gzip"}))
    with pytest.raises(AnswerUnreadable, match="it is longer than 16,777,216 bytes"):
        await asked(provider, model)
    assert server.count == 1


def guarded(*actions: str) -> Json:
    """Return an answer of Bedrock's Converse API with the trace of a guardrail."""
    policy = {"piiEntities": [{"type": "NAME", "match": "Ana", "action": action} for action in actions]}
    trace: Json = {"guardrail": {"outputAssessments": {"g1": [{"sensitiveInformationPolicy": policy}]}}}
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": "Dear {NAME}"}]}},
        "stopReason": "guardrail_intervened",
        "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
        **({"trace": trace} if actions else {}),
    }


@pytest.mark.parametrize(
    ("actions", "ended", "text"),
    [
        (("ANONYMIZED",), "stop", "Dear {NAME}"),
        (("ANONYMIZED", "BLOCKED"), "refused", "the vendor's filter stopped the answer"),
        (("BLOCKED",), "refused", "the vendor's filter stopped the answer"),
        ((), "refused", "the vendor's filter stopped the answer"),
    ],
)
async def test_an_answer_with_masked_words_is_one(
    server: ModelServer, provider: Provider, actions: tuple[str, ...], ended: str, text: str
) -> None:
    server.script(Reply.json(guarded(*actions)))
    answer = await asked(provider, BEDROCK)
    assert (answer.finish_reason, answer.text, answer.usage.input_tokens) == (ended, text, 3)


SPENT: Json = {"input_tokens": 100, "output_tokens": 20}
OVERLOADED: Json = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "usage": SPENT}


@pytest.mark.parametrize(
    ("model", "reply", "usd"),
    [
        (CLAUDE, Reply.json(OVERLOADED, 529), None),
        (CLAUDE, Reply.json({**OVERLOADED, "usage": {**SPENT, "cost": 0.5}}, 500), Decimal("0.5")),
        (
            "gpt-5.4",
            Reply.json({"error": {"message": "no", "usage": {"prompt_tokens": 100, "completion_tokens": 20}}}, 429),
            None,
        ),
    ],
)
async def test_an_error_keeps_the_vendors_bill(
    server: ModelServer, provider: Provider, model: str, reply: Reply, usd: Decimal | None
) -> None:
    server.script(reply)
    with pytest.raises(ProviderError) as caught:
        await asked(provider, model)
    billed = Billed.model_validate(caught.value.detail.billed)
    assert (billed.usage, billed.reported_usd) == (Usage(input_tokens=100, output_tokens=20), usd)
    assert KEY not in repr(caught.value.detail)


async def test_a_package_that_is_not_there_is_said(
    server: ModelServer, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "google.auth", None)  # as the import system marks what is not there
    with pytest.raises(
        ProviderUnavailable, match=r"was not asked, because no connection can be made.*google"
    ) as caught:
        await asked(provider, "vertex_ai/gemini-2.5-pro")
    assert not caught.value.may_pass
    assert server.count == 0
