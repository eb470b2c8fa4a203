"""The price table: each usage of a vendor costs what its own rule says, or says why that is unknown."""

import os
from collections import Counter
from importlib import import_module

import pytest

from llmflow.providers.openai.chat import ChatAnswer
from llmflow.providers.openai.chat_chunks import ChatChunks
from llmflow.providers.openai.responses import ResponsesAnswer
from llmflow.providers.pricing.prices import Prices
from llmflow.types.messages import Message
from llmflow.types.models import ModelOptions, ModelRequest, ModelResponse
from llmflow.types.providers import NoDeltas
from llmflow.types.refs import ModelRef

from .priced import anthropic, gateways, google, hosts, openai, openai_tools
from .priced.row import Json, Row

ROWS = (*openai.ROWS, *openai_tools.ROWS, *anthropic.ROWS, *google.ROWS, *hosts.ROWS, *gateways.ROWS)


def converted(row: Row) -> object:
    """Convert a vendor's own usage as litellm does. It is loaded on use: that takes 3 s."""
    if row.through is None:
        return row.usage
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it waits for a price map from the network
    vendors = import_module("litellm.llms")
    if row.through == "anthropic":
        config = import_module(f"{vendors.__name__}.anthropic.chat.transformation").AnthropicConfig()
        return config.calculate_usage(usage_object=row.usage, reasoning_content=None).model_dump()
    config = import_module(f"{vendors.__name__}.vertex_ai.gemini.vertex_and_google_ai_studio_gemini").VertexGeminiConfig
    return config._calculate_usage(completion_response={"usageMetadata": row.usage}).model_dump()


def read(row: Row) -> ModelResponse:
    request = ModelRequest(
        model=ModelRef.parse(row.asked).model,
        messages=(Message.user("hi"),),
        options=ModelOptions.model_validate(row.options),
    )
    model = row.answered or request.model
    if row.api == "responses":
        body: Json = {"model": model, "output": [], "usage": converted(row), **row.answer}
        return ResponsesAnswer.model_validate(body).response(request, None, row.url, None, "vendor")
    message = {"role": "assistant", "content": "ok", **row.message}
    body = {
        "model": model,
        "choices": [{"message": message, "finish_reason": "stop"}],
        "usage": converted(row),
        **row.answer,
    }
    return ChatAnswer.model_validate(_joined(row, model) or body).response(request, None, row.url, None, "vendor")


def _joined(row: Row, model: str) -> Json | None:
    if not row.chunks:
        return None
    joined = ChatChunks(NoDeltas())
    for chunk in row.chunks:
        joined.take({"model": model, "choices": [{"index": 0, "delta": {"content": "o"}}], **chunk})
    joined.take({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    assert joined.whole
    return joined.whole


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.asked} {row.name}") for row in ROWS])
def test_it_costs_what_the_vendor_says(row: Row) -> None:
    cost = Prices().price(row.asked, read(row), row.at)
    assert cost.usd == row.usd, f"{row.rule}: {cost.source}"
    assert row.unknown in cost.source
    assert row.doubt in cost.source
    assert cost.usd is not None or row.unknown, "say why it is unknown"


def test_the_table_is_large_and_no_row_is_there_twice() -> None:
    assert len(ROWS) >= 150
    assert not [name for name, times in Counter((row.asked, row.name) for row in ROWS).items() if times > 1]
    assert all(row.rule for row in ROWS)
