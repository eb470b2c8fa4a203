"""A vendor on this machine, and providers that ask it."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from llmflow.providers.limits.counters import Counters
from llmflow.providers.litellm.provider import LitellmProvider
from llmflow.providers.openai.chat_provider import ChatProvider
from llmflow.providers.openai.responses import ResponsesProvider
from llmflow.types.messages import Message
from llmflow.types.models import ModelOptions, ModelRequest, ModelResponse, OutputSchema
from llmflow.types.providers import DeltaSink, NoDeltas, Provider, ProviderSettings
from tests.helpers.model_server import ModelServer

DAY = 86_400
"""Seconds: of a limit whose stretch of time outlasts every test."""
KEY = "sk-planted-0123456789abcdef"

Ask = Callable[..., ModelRequest]


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def responses(server: ModelServer) -> AsyncIterator[Provider]:
    provider = ResponsesProvider(ProviderSettings(name="openai", base_url=server.url, key=KEY))
    yield provider
    await provider.close()


@pytest.fixture
async def chat(server: ModelServer) -> AsyncIterator[Provider]:
    provider = ChatProvider(ProviderSettings(name="local", base_url=server.url, key=KEY))
    yield provider
    await provider.close()


@pytest.fixture
async def litellm(server: ModelServer) -> AsyncIterator[Provider]:
    """With litellm's own way to OpenAI, which it takes for the `gpt-5.4` of `ask`."""
    provider = LitellmProvider(ProviderSettings(name="vendor", base_url=server.url, key=KEY))
    yield provider
    await provider.close()


class Streaming:
    """A provider that streams whatever it is asked."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.close = provider.close

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        options = request.options.model_copy(update={"stream": True})
        return await self._provider.complete(request.model_copy(update={"options": options}), NoDeltas())


@pytest.fixture
def streamed_responses(responses: Provider) -> Provider:
    return Streaming(responses)


@pytest.fixture
def streamed_chat(chat: Provider) -> Provider:
    return Streaming(chat)


WHOLE = ("responses", "chat", "litellm")


@pytest.fixture(params=WHOLE)
def whole(request: pytest.FixtureRequest) -> Provider:
    """All ways to a vendor whose answers come in one piece, one after the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=[*WHOLE, "streamed_responses", "streamed_chat"])
def provider(request: pytest.FixtureRequest) -> Provider:
    """All ways to a vendor, one after the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def ask() -> Ask:
    """A small request, with some fields changed."""

    def make(
        *messages: Message, schema: dict[str, Any] | None = None, timeout: float = 30, **options: Any
    ) -> ModelRequest:
        return ModelRequest(
            model="gpt-5.4",
            messages=messages or (Message.user("Why?"),),
            output=OutputSchema(name="Plan", json_schema=schema) if schema else None,
            options=ModelOptions(**options),
            timeout=timeout,
        )

    return make


class Clock:
    """The time of day, as the test says."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock. The library `limits` takes none from us: in memory, it reads `time.time` itself."""
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


@pytest.fixture
async def fleet(redis_url: str) -> AsyncIterator[tuple[Counters, Counters]]:
    """Two workers that count in one Redis, and wait for it however busy the machine is."""
    workers = Counters(redis_url, timeout=60), Counters(redis_url, timeout=60)
    yield workers
    for worker in workers:
        await worker.close()
