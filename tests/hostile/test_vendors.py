"""Numbers and bodies of vendors are bounded. Against a real server."""

import gzip
import json
import resource
import zlib
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from pydantic_core import from_json

from llmflow.errors import AnswerUnreadable, ConfigInvalid, LLMFlowError, ModelNotFound, ProviderUnavailable
from llmflow.providers.dialects.usage.reader import read_usage
from llmflow.providers.litellm.provider import LitellmProvider
from llmflow.providers.openai.bodies import MAX_ANSWER, MAX_STREAM
from llmflow.providers.openai.chat_provider import ChatProvider
from llmflow.providers.openai.responses import ResponsesProvider
from llmflow.types.messages import Message
from llmflow.types.models import Billed, ModelOptions, ModelRequest, ModelResponse
from llmflow.types.providers import NoDeltas, ProviderSettings
from llmflow.types.usage import Usage
from tests.helpers.model_server import ModelServer, Reply, chat_answer

KEY = "sk-planted-0123456789abcdef"
GZIP = {"content-encoding": "gzip"}
STREAM = {"content-type": "text/event-stream"}


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


async def asked(server: ModelServer, *replies: Reply, stream: bool = False, timeout: float = 10) -> ModelResponse:
    provider = ChatProvider(ProviderSettings(name="local", base_url=server.url, key=KEY))
    server.script(*replies)
    options = ModelOptions(stream=stream or None)
    request = ModelRequest(model="m", messages=(Message.user("hi"),), options=options, timeout=timeout)
    try:
        return await provider.complete(request, NoDeltas())
    finally:
        await provider.close()


GOOD = json.dumps(chat_answer("packed")).encode()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=gzip.compress(GOOD), headers=GZIP),
        Reply(body=zlib.compress(GOOD), headers={"content-encoding": "deflate"}),
        Reply(body=gzip.compress(GOOD) + b"what follows is no gzip" * 100_000, headers=GZIP),
        Reply(body=GOOD + b" " * 100_000),
    ],
)
async def test_a_compressed_answer_is_read(server: ModelServer, reply: Reply) -> None:
    assert (await asked(server, reply)).text == "packed"


BOMB = gzip.compress(b'{"choices": "' + b"x" * 300_000_000, 6)
"""300 kB that expand to 300 MB."""

BODIES: tuple[tuple[Reply, bool, type[LLMFlowError]], ...] = (
    (Reply(body=BOMB, headers=GZIP), False, AnswerUnreadable),
    (Reply(body=BOMB, headers={**GZIP, **STREAM}), True, AnswerUnreadable),
    (Reply(body=BOMB, headers=GZIP, status=500), False, ProviderUnavailable),
    (Reply(body=BOMB, headers={"content-encoding": "br"}), False, ProviderUnavailable),
    (Reply(body=b" " * (MAX_ANSWER + 1)), False, AnswerUnreadable),
    (Reply(body=(b": " + b"x" * 9_998 + b"\n") * (MAX_STREAM // 10_000 + 1), headers=STREAM), True, AnswerUnreadable),
    (Reply(body=b"x" * (MAX_STREAM + 1), headers=STREAM), True, AnswerUnreadable),
    (Reply(body=GOOD, headers=GZIP), False, ProviderUnavailable),
    (Reply(body=gzip.compress(GOOD)[:-30], headers=GZIP), False, ProviderUnavailable),
    (Reply(body=b"[" * 1_000_000), False, ProviderUnavailable),
    (Reply(body=b'{"choices": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"), False, ProviderUnavailable),
    (Reply(body=b"data: " + b"[" * 100_000 + b"\n\n", headers=STREAM), True, ProviderUnavailable),
    (Reply(body=b"data: " + b"9" * 5_000 + b"\n\n", headers=STREAM), True, ProviderUnavailable),
    (Reply(body=b"data: {}\n\n" * 3, headers=STREAM, then="close"), True, ProviderUnavailable),
)
"""A reply, whether it was asked for as a stream, and the error that it is."""


@pytest.mark.parametrize("number", range(len(BODIES)))
async def test_a_body_is_read_up_to_a_limit(server: ModelServer, number: int) -> None:
    reply, stream, kind = BODIES[number]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(kind):
        await asked(server, reply, stream=stream)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 250_000, "kB: of the client and of the server, which are one process here"
    assert server.count == 1


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("kind", [ChatProvider, ResponsesProvider])
async def test_a_redirect_gets_no_key(
    server: ModelServer, status: int, kind: type[ChatProvider] | type[ResponsesProvider]
) -> None:
    async with ModelServer() as thief:
        provider = kind(ProviderSettings(name="local", base_url=server.url, key=KEY))
        server.script(Reply(status=status, headers={"location": f"{thief.url}?{KEY}"}))
        with pytest.raises(ModelNotFound) as caught:
            await provider.complete(ModelRequest(model="m", messages=(Message.user("hi"),), timeout=10), NoDeltas())
        await provider.close()
        assert (thief.count, server.count) == (0, 1)
        assert KEY not in str(caught.value)


@pytest.mark.parametrize("proxy", ["socks6://u:secret@127.0.0.1:1", "ftp://u:secret@127.0.0.1:1"])
async def test_an_unusable_proxy_is_named_without_its_password(
    server: ModelServer, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(ConfigInvalid, match="only HTTP and SOCKS proxies") as caught:
        await asked(server)
    assert "secret" not in str(caught.value)
    assert server.count == 0


async def test_the_key_does_not_go_to_the_proxy(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ModelServer() as proxy:
        monkeypatch.setenv("https_proxy", f"http://ana:hunter2@127.0.0.1:{proxy.port}")
        provider = ChatProvider(ProviderSettings(name="local", base_url="https://vendor.example/v1", key=KEY))
        proxy.script(Reply(status=407))
        with pytest.raises(LLMFlowError) as caught:
            await provider.complete(ModelRequest(model="m", messages=(Message.user("hi"),), timeout=10), NoDeltas())
        await provider.close()
        assert KEY not in str(proxy.requests)
        assert "hunter2" not in str(caught.value)


ABSURD = (
    "1" + "0" * 320,
    "1" + "0" * 4000,
    *("1e308", "1e999", "Infinity", "-Infinity", "NaN", "-1", "-0.5", "0.5", "1e12"),
)
"""Numbers as JSON has them, or as some libraries write them."""
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
DETAILS = ("cached_tokens", "audio_tokens", "cache_write_tokens")


def read(text: str) -> Billed:
    return read_usage(from_json(text), model="m")


@pytest.mark.parametrize("number", ABSURD)
@pytest.mark.parametrize("field", COUNTS)
def test_absurd_counts_make_the_usage_unknown(field: str, number: str) -> None:
    others = ", ".join(f'"{name}": 5' for name in COUNTS if name != field)
    assert read(f'{{{others}, "{field}": {number}}}').usage == Usage()


@pytest.mark.parametrize("number", ABSURD)
@pytest.mark.parametrize("field", DETAILS)
def test_absurd_details_make_the_usage_unknown(field: str, number: str) -> None:
    assert read(f'{{"prompt_tokens": 5, "prompt_tokens_details": {{"{field}": {number}}}}}').usage == Usage()


@pytest.mark.parametrize("number", ABSURD)
def test_an_absurd_count_that_no_table_knows_is_unread(number: str) -> None:
    found = read(f'{{"prompt_tokens": 5, "strange\\u0000": {number}}}').usage
    assert list(found.unread) == ["usage.strange\N{SYMBOL FOR NULL}"]
    assert Usage.model_validate_json(found.model_dump_json()) == found


def test_few_of_many_unread_counts_are_kept() -> None:
    many = ", ".join(f'"{"x" * 200}{at}": 1' for at in range(10_000))
    unread = read(f'{{"prompt_tokens": 5, {many}}}').usage.unread
    assert (len(unread), max(map(len, unread))) == (1, 100)


@pytest.mark.parametrize("number", [one for one in ABSURD if one != "0.5"])
def test_an_absurd_cost_is_not_believed(number: str) -> None:
    assert read(f'{{"prompt_tokens": 5, "cost": {number}}}').reported_usd is None


@pytest.mark.parametrize(("number", "count"), [("0", 0), ("7", 7), ("7.0", 7), ("null", 0), ('"many"', 0), ("true", 0)])
def test_other_counts_are_read(number: str, count: int) -> None:
    assert read(f'{{"prompt_tokens": {number}, "completion_tokens": 1}}').usage == Usage(
        input_tokens=count, output_tokens=1
    )


def test_a_cost_is_exact() -> None:
    assert read('{"cost": 0.000123}').reported_usd == Decimal("0.000123")


SMALL_BOMB = gzip.compress(b'{"choices": "' + b"x" * (2 * MAX_ANSWER), 6)
MODELS = ("openai/gpt-5.4", "anthropic/claude-sonnet-4-5", "groq/llama-3.3-70b-versatile")


async def asked_through_litellm(server: ModelServer, model: str, reply: Reply) -> ModelResponse:
    provider = LitellmProvider(ProviderSettings(name="vendor", base_url=server.url, key=KEY))
    server.script(reply)
    try:
        return await provider.complete(
            ModelRequest(model=model, messages=(Message.user("hi"),), timeout=20), NoDeltas()
        )
    finally:
        await provider.close()


@pytest.mark.parametrize("model", MODELS)
async def test_a_body_through_litellm_is_read_up_to_a_limit(server: ModelServer, model: str) -> None:
    for reply, kind, words in (
        (Reply(body=SMALL_BOMB, headers=GZIP), AnswerUnreadable, "longer than"),
        (Reply(body=b" " * (MAX_ANSWER + 1)), AnswerUnreadable, "longer than"),
        (Reply(body=GOOD, headers=GZIP), ProviderUnavailable, "not compressed"),
    ):
        with pytest.raises(kind, match=words):
            await asked_through_litellm(server, model, reply)


async def test_a_compressed_answer_through_litellm_is_read(server: ModelServer) -> None:
    packed = Reply(body=gzip.compress(GOOD), headers=GZIP)
    assert (await asked_through_litellm(server, MODELS[0], packed)).text == "packed"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("model", MODELS)
async def test_a_redirect_through_litellm_gets_no_key(server: ModelServer, status: int, model: str) -> None:
    async with ModelServer() as thief:
        reply = Reply(status=status, headers={"location": f"{thief.url}?{KEY}"})
        with pytest.raises(ModelNotFound) as caught:
            await asked_through_litellm(server, model, reply)
        assert (thief.count, server.count) == (0, 1)
        assert KEY not in str(caught.value)
