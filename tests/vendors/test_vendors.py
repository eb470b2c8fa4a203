"""Every vendor through its whole contract: answer, stream, tool loop, typed answer, refusal, documented errors."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from llmflow.errors import ProviderError
from llmflow.providers.answer_modes import AnswerModes
from llmflow.providers.jitter import JITTER
from llmflow.types.base import changed
from llmflow.types.messages import Message, ToolResult, turn_of
from llmflow.types.models import AnswerMode, ModelOptions, ModelRequest, ModelResponse, OutputSchema
from llmflow.types.providers import NoDeltas, Provider, ProviderSettings
from llmflow.types.tools import ToolSpec
from tests.helpers.model_server import Json, Reply
from tests.vendors.anthropic import Anthropic
from tests.vendors.azure import Azure
from tests.vendors.deepseek import DeepSeek
from tests.vendors.gemini import Gemini
from tests.vendors.groq import Groq
from tests.vendors.kimi import Kimi
from tests.vendors.llama_cpp import LlamaCpp
from tests.vendors.mistral import Mistral
from tests.vendors.ollama import Ollama
from tests.vendors.openai_chat import OpenAIChat
from tests.vendors.openai_responses import OpenAIResponses
from tests.vendors.openrouter import OpenRouter
from tests.vendors.together import Together
from tests.vendors.vendor import ROUNDS, TEXT, TYPED, Failure, Vendor, VendorServer
from tests.vendors.vllm import Vllm
from tests.vendors.xai import Xai

VENDORS: tuple[Vendor, ...] = (
    *(Anthropic(), Azure(), DeepSeek(), Gemini(), Groq(), Kimi(), LlamaCpp(), Mistral(), Ollama()),
    *(OpenAIChat(), OpenAIResponses(), OpenRouter(), Together(), Vllm(), Xai()),
)
LOOK_UP = ToolSpec(
    name="look_up", description="Looks up.", json_schema={"type": "object", "properties": {"n": {"type": "integer"}}}
)
LIST: Json = {"type": "array", "items": {"type": "string"}}
STEPS: Json = {"type": "object", "properties": {"steps": LIST}, "required": ["steps"]}
KEY = "sk-planted-0123456789abcdef"

ways = pytest.mark.parametrize(
    ("vendor", "stream"),
    [pytest.param(one, stream, id=f"{one.name}-{stream}") for one in VENDORS for stream in (False, True)],
)


@pytest.fixture
async def server(vendor: Vendor) -> AsyncIterator[VendorServer]:
    async with VendorServer(vendor) as server:
        yield server


@pytest.fixture
async def provider(vendor: Vendor, server: VendorServer) -> AsyncIterator[Provider]:
    provider = type(vendor).connect(ProviderSettings(name=vendor.name, base_url=server.base_url, key=KEY))
    yield provider
    await provider.close()


def asks(vendor: Vendor, *messages: Message, stream: bool = False, **fields: object) -> ModelRequest:
    options = ModelOptions(stream=True) if stream else ModelOptions()
    return ModelRequest.model_validate(
        {"model": vendor.model, "messages": (Message.user("How many?"), *messages), "options": options, **fields}
    )


async def loop(vendor: Vendor, provider: Provider, *, stream: bool, keeps: bool = True) -> ModelResponse:
    """Run the tools that the model asks for, as a workflow does."""
    messages: list[Message] = []
    for n in range(ROUNDS):
        answer = await provider.complete(asks(vendor, *messages, stream=stream, tools=(LOOK_UP,)), NoDeltas())
        assert [call.values() for call in answer.tool_calls] == [{"n": n}]
        messages.append(turn_of(answer.text, answer.tool_calls, answer.opaque if keeps else ()))
        messages += [Message.user(ToolResult(id=call.id, text="found")) for call in answer.tool_calls]
    return await provider.complete(asks(vendor, *messages, stream=stream, tools=(LOOK_UP,)), NoDeltas())


@ways
async def test_an_answer(vendor: Vendor, provider: Provider, stream: bool) -> None:
    answer = await provider.complete(asks(vendor, stream=stream), NoDeltas())
    assert (answer.text, answer.finish_reason, answer.tool_calls) == (TEXT, "stop", ())
    assert answer.usage.output_tokens > 0
    assert (answer.first_token is not None) is (stream and vendor.streams)


@ways
async def test_a_tool_loop_of_three_rounds(vendor: Vendor, provider: Provider, stream: bool) -> None:
    answer = await loop(vendor, provider, stream=stream)
    assert (answer.text, answer.finish_reason) == (TEXT, "stop")


@pytest.mark.parametrize("vendor", [one for one in VENDORS if one.thinks], ids=lambda one: one.name)
async def test_without_its_thoughts_a_vendor_refuses_the_second_round(vendor: Vendor, provider: Provider) -> None:
    with pytest.raises(ProviderError, match="400"):
        await loop(vendor, provider, stream=False, keeps=False)


@ways
async def test_a_typed_answer(vendor: Vendor, server: VendorServer, provider: Provider, stream: bool) -> None:
    api = "responses" if isinstance(vendor, OpenAIResponses) else "chat"
    typed = AnswerModes(provider, api, server.base_url)
    request = asks(vendor, stream=stream, output=OutputSchema(name="Plan", json_schema=STEPS))
    for mode in (None, None, "prompted"):
        asked = changed(request, options=changed(request.options, answer_mode=mode))
        answer = await typed.complete(asked, NoDeltas())
        assert (answer.text, answer.mode, answer.tool_calls) == (TYPED, mode or vendor.mode, ())
    refused = get_args(AnswerMode).index(vendor.mode)
    assert server.count == 3 + refused, "each mode is refused once, and then remembered"


@pytest.mark.parametrize("vendor", [one for one in VENDORS if one.refusal], ids=lambda one: one.name)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_refusal(vendor: Vendor, server: VendorServer, provider: Provider, stream: bool) -> None:
    assert vendor.refusal
    streams = stream and vendor.streams
    server.script(Reply.stream(*vendor.events(vendor.refusal)) if streams else Reply.json(vendor.refusal))
    answer = await provider.complete(asks(vendor, stream=stream), NoDeltas())
    assert (answer.finish_reason, answer.usage.output_tokens > 0) == ("refused", True)


@pytest.mark.parametrize(
    ("vendor", "failure"),
    [pytest.param(one, failure, id=f"{one.name}-{n}") for one in VENDORS for n, failure in enumerate(one.failures)],
)
async def test_a_documented_error(vendor: Vendor, server: VendorServer, provider: Provider, failure: Failure) -> None:
    reply = Reply.json(failure.body, failure.status, failure.headers)
    server.script(reply, replace(reply))
    for stream in (False, True):
        with pytest.raises(ProviderError) as caught:
            await provider.complete(asks(vendor, stream=stream), NoDeltas())
        assert type(caught.value) is failure.kind
        wait = caught.value.detail.retry_after
        assert (wait is None) is (failure.wait is None)
        assert failure.wait is None or failure.wait <= (wait or 0) <= (failure.wait + 1) * (1 + JITTER)
        assert KEY not in str(caught.value)


def test_every_shape_has_a_source() -> None:
    assert all(vendor.sources for vendor in VENDORS)


def test_the_table_of_the_documentation_is_true() -> None:
    lines = Path("docs/models.md").read_text().partition("\n## Vendors\n")[2].partition("\n## ")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")][2:] for line in lines if line.startswith("| ")][1:]
    assert cells == [
        [
            f"`{vendor.mode}`",
            "sent back: refused without them" if vendor.thinks else "not asked for",
            "yes" if vendor.streams else "no: the answer comes whole",
            str(len(vendor.failures)),
        ]
        for vendor in VENDORS
    ]
