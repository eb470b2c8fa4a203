"""No key in any error."""

import pytest

from llmflow.errors import ProviderError
from llmflow.providers.dialects.secrets import scrub
from llmflow.types.providers import NoDeltas, Provider
from tests.helpers.model_server import ModelServer, Reply

from ..conftest import KEY, Ask

ECHOES = [
    f"Incorrect API key provided: {KEY}.",
    f'{{"headers": {{"Authorization": "Bearer {KEY}"}}}}',
    f"<pre>Authorization: Bearer {KEY}</pre>",
    f"{'x' * 290} {KEY}",  # where the message is cut
]


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_a_key_is_in_no_error(server: ModelServer, provider: Provider, ask: Ask, echo: str, status: int) -> None:
    server.script(Reply.error(status, code=f"bad_{KEY}", message=echo, headers={"x-request-id": f"r-{KEY}"}))
    with pytest.raises(ProviderError) as caught:
        await provider.complete(ask(), NoDeltas())
    error: BaseException | None = caught.value
    assert KEY[:14] not in f"{error!r} {error} {caught.value.detail!r}"
    assert (error.__cause__, error.__context__) == (None, None), "the SDK's exception holds the request, and so the key"


@pytest.mark.parametrize("reply", [Reply(body=f"{KEY}".encode()), Reply(send=0, then="close")])
async def test_a_key_is_in_no_error_about_a_broken_answer(
    server: ModelServer, provider: Provider, ask: Ask, reply: Reply
) -> None:
    server.script(reply)
    with pytest.raises(ProviderError) as caught:
        await provider.complete(ask(), NoDeltas())
    assert KEY not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abc***********wxyz",
        "gsk_0123456789abcdef",
        "xai-0123456789",
        "hf_0123456789",
        "AIzaSyA0123456789",
        "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x",
        "authorization: Basic dXNlcjpwYXNz",
        '"authorization": "token-of-mine"',
    ],
)
def test_everything_that_looks_like_a_secret_is_taken_out(secret: str) -> None:
    assert secret.split()[-1].strip('"') not in scrub(f"said {secret} there", ())
    assert scrub(f"said {secret} there", ()).endswith(" there")


@pytest.mark.parametrize(
    "text", ["a risk-management task", "No bearer authentication header", "basic usage of gpt-5.4"]
)
def test_words_stay(text: str) -> None:
    assert scrub(text, ()) == text
