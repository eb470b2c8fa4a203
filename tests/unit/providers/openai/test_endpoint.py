"""The wire: timeouts, broken answers, cancellation, what is sent to whom. Against a real server."""

import asyncio

import pytest

from llmflow.errors import AnswerUnreadable, ProviderUnavailable
from llmflow.providers.openai.responses import ResponsesProvider
from llmflow.types.providers import NoDeltas, Provider, ProviderSettings
from tests.helpers.model_server import DROPPED, RESET, SILENCE, ModelServer, Reply

from ..conftest import KEY, Ask

HEAD_AND_SOME = 200  # bytes: the head of the reply and the first of the body


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        # litellm has another library under its HTTP library, and other names for the same.
        (DROPPED, "ServerDisconnectedError|RemoteProtocolError|ReadError"),
        (RESET, "ClientOSError|ReadError|ConnectError"),
        (Reply(answer="ok", send=HEAD_AND_SOME, then="close"), "ClientPayloadError|RemoteProtocolError|ReadError"),
        (Reply(body=b'{"id": "resp_1", "output": ['), "Invalid JSON"),
        (Reply(body=b"<html><p>welcome to the airport</html>"), "Invalid JSON|a page, not an answer: welcome to the"),
        (Reply(body=b"\xff\xfe"), "Invalid JSON"),
        (Reply(body=b""), "Invalid JSON"),
    ],
)
async def test_a_broken_answer_may_be_asked_for_again(
    server: ModelServer, provider: Provider, ask: Ask, reply: Reply, said: str
) -> None:
    server.script(reply)
    with pytest.raises(ProviderUnavailable, match=said):
        await provider.complete(ask(), NoDeltas())
    assert server.count == 1, "Temporal retries, a provider does not"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"'])
async def test_a_whole_answer_of_another_shape_is_not_bought_again(
    server: ModelServer, provider: Provider, ask: Ask, body: bytes
) -> None:
    server.script(Reply(body=body))
    with pytest.raises(AnswerUnreadable, match=r"should be an object|invalid response") as caught:
        await provider.complete(ask(), NoDeltas())
    assert (caught.value.retryable, caught.value.fallback) == (False, True)


async def test_half_a_surrogate_pair_does_not_cost_the_answer(
    server: ModelServer, provider: Provider, ask: Ask
) -> None:
    server.script(Reply.text("half \ud83d, whole \U0001f600, quoted \\ud83d"))
    answer = await provider.complete(ask(), NoDeltas())
    assert answer.text == "half \ufffd, whole \U0001f600, quoted \\ud83d"
    assert answer.usage.input_tokens == 100


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(SILENCE, id="before the head"),
        pytest.param(Reply(answer="ok", send=HEAD_AND_SOME, then="stall"), id="after the head"),
    ],
)
async def test_a_stalled_answer_is_given_up(server: ModelServer, provider: Provider, ask: Ask, reply: Reply) -> None:
    server.script(reply)
    with pytest.raises(ProviderUnavailable, match="no whole answer within 1 s"):
        await provider.complete(ask(timeout=1), NoDeltas())  # long enough for the request to have left
    await server.left()


async def test_a_cancelled_call_closes_its_connection(server: ModelServer, provider: Provider, ask: Ask) -> None:
    server.script(SILENCE)
    call = asyncio.create_task(provider.complete(ask(), NoDeltas()))
    await server.arrived(1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await server.left()


async def test_nobody_there(ask: Ask) -> None:
    provider = ResponsesProvider(ProviderSettings(name="openai", base_url="http://127.0.0.1:9", key=KEY))
    with pytest.raises(ProviderUnavailable, match=r"openai:gpt-5\.4 failed: ClientConnectorError"):
        await provider.complete(ask(), NoDeltas())
    await provider.close()


async def test_parallel_first_calls_share_one_client(server: ModelServer, whole: Provider, ask: Ask) -> None:
    answers = await asyncio.gather(*(whole.complete(ask(), NoDeltas()) for _ in range(20)))
    assert [answer.text for answer in answers] == ["ok"] * 20
    await whole.complete(ask(), NoDeltas())
    assert server.connections <= 20, "the twenty-first call uses a connection that is there"


async def test_a_key_goes_to_the_vendor_that_it_is_for(
    server: ModelServer, provider: Provider, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-of-an-admin")
    await provider.complete(ask(), NoDeltas())
    keyless = ResponsesProvider(ProviderSettings(name="local", base_url=server.url))
    await keyless.complete(ask(), NoDeltas())
    await keyless.close()
    first, second = (request.headers for request in server.requests)
    assert first["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in second
    assert first["content-type"] == "application/json"


async def test_an_organization_is_nobody_elses_business(
    server: ModelServer, responses: Provider, chat: Provider, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")
    await responses.complete(ask(), NoDeltas())
    await chat.complete(ask(), NoDeltas())
    for request in server.requests:
        assert not {"openai-organization", "openai-project"} & request.headers.keys()


async def test_closing_twice_or_unused(responses: Provider, ask: Ask) -> None:
    await responses.close()
    await responses.complete(ask(), NoDeltas())
    await responses.close()
    await responses.close()


def test_a_key_is_not_in_a_repr() -> None:
    assert KEY not in repr(ProviderSettings(name="openai", key=KEY))
