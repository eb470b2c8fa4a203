"""A provider of an App's own: what it raises and returns, and what models.yaml says of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmflow.errors import (
    AnswerLost,
    AnswerUnreadable,
    AuthenticationFailed,
    ConfigInvalid,
    ContentRefused,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
)
from llmflow.providers.connect import addresses, connect_providers
from llmflow.providers.models.catalogue import load_model_catalogue
from llmflow.testing import ScriptedProvider
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink, NoDeltas, Provider, ProviderSettings
from tests.helpers.model_server import ModelServer, Reply

from .conftest import KEY, Ask

GOOD = ModelResponse(text="yes", model="large")


class Vendor:
    """Answers with what a function returns or raises."""

    def __init__(self, settings: ProviderSettings, answer: Callable[[], Any]) -> None:
        self.settings = settings
        self.answer = answer

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        return self.answer()

    async def close(self) -> None: ...


def raising(error: Exception) -> Callable[[], Any]:
    def answer() -> None:
        raise error

    return answer


def connected(answer: Callable[[], Any], models: str = "{}", **environ: str) -> Provider:
    path = Path("models.yaml")
    path.write_text(models)
    own = {"mine": lambda settings: Vendor(settings, answer)}
    return connect_providers(load_model_catalogue(path, own), environ)["mine"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def test_it_needs_no_models_yaml(ask: Ask) -> None:
    models = load_model_catalogue(None, {"mine": lambda settings: Vendor(settings, lambda: GOOD)})
    assert [one.model for one in models.resolve("mine:large")] == ["mine:large"]
    assert await connect_providers(models, {})["mine"].complete(ask(), NoDeltas()) is GOOD
    assert addresses(models, {})["mine"] is None


async def test_models_yaml_has_its_settings_and_names_more_of_its_kind(ask: Ask) -> None:
    seen: list[ProviderSettings] = []

    def mine(settings: ProviderSettings) -> Vendor:
        seen.append(settings)
        return Vendor(settings, lambda: GOOD)

    Path("models.yaml").write_text(
        "providers: {mine: {key: K, base_url: 'http://one'}, other: {api: mine}}\nmodels: {smart: 'other:large'}"
    )
    models = load_model_catalogue("models.yaml", {"mine": mine})
    providers = connect_providers(models, {"K": KEY})
    assert seen == [ProviderSettings(name="mine", base_url="http://one", key=KEY), ProviderSettings(name="other")]
    assert KEY not in repr(seen)
    assert await providers["other"].complete(ask(), NoDeltas()) is GOOD
    with pytest.raises(AuthenticationFailed, match="environment variable K holds no key"):
        await connect_providers(models, {})["mine"].complete(ask(), NoDeltas())


@pytest.mark.parametrize("error", [RateLimited("slow down"), ContentRefused("not that"), ProviderError("odd")])
async def test_errors_of_llmflow_pass_as_they_are(ask: Ask, error: ProviderError) -> None:
    with pytest.raises(ProviderError) as caught:
        await connected(raising(error)).complete(ask(), NoDeltas())
    assert caught.value is error


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (ConnectionResetError("gone"), AnswerLost, "mine:gpt-5.4 failed: ConnectionResetError: gone"),
        (TimeoutError(), AnswerLost, "mine:gpt-5.4 failed: no whole answer within 30 s"),
        (httpx.ConnectTimeout("no way"), ProviderUnavailable, "mine:gpt-5.4 failed: ConnectTimeout: no way"),
        (KeyError("choices"), AnswerUnreadable, "provider 'mine' raised KeyError: 'choices'. The call may be billed"),
        (ValueError(), AnswerUnreadable, "provider 'mine' raised ValueError. "),
        (RuntimeError(f"no luck with {KEY}"), AnswerUnreadable, r"RuntimeError: no luck with \[secret\]"),
    ],
)
async def test_other_exceptions_become_provider_errors(
    ask: Ask, error: Exception, kind: type[ProviderError], said: str
) -> None:
    provider = connected(raising(error), "providers: {mine: {key: K}}", K=KEY)
    with pytest.raises(kind, match=said) as caught:
        await provider.complete(ask(), NoDeltas())
    assert type(caught.value) is kind
    assert caught.value.detail.model == "mine:gpt-5.4"
    assert caught.value.__cause__ is caught.value.__context__ is None, "it may hold the key"


async def test_a_bug_says_where_it_is(ask: Ask) -> None:
    with pytest.raises(AnswerUnreadable) as caught:
        await connected(raising(KeyError("choices"))).complete(ask(), NoDeltas())
    assert caught.traceback[-1].name == "answer"


@pytest.mark.parametrize(
    ("status", "kind"), [(429, RateLimited), (503, ProviderUnavailable), (401, AuthenticationFailed)]
)
async def test_an_http_library_is_read_by_the_vendors_answer(
    server: ModelServer, ask: Ask, status: int, kind: type[ProviderError]
) -> None:
    class Web(Vendor):
        async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
            async with httpx.AsyncClient() as client:
                (await client.post(f"{server.url}/responses", json={"model": "x"})).raise_for_status()
            raise AssertionError

    server.script(Reply.error(status, headers={"retry-after": "3"}))
    provider = connect_providers(load_model_catalogue(None, {"mine": lambda one: Web(one, lambda: GOOD)}), {})["mine"]
    with pytest.raises(kind, match=f"mine:gpt-5.4 answered {status}") as caught:
        await provider.complete(ask(), NoDeltas())
    assert (caught.value.detail.retry_after is not None) == kind.retryable


async def test_it_ends_in_time(ask: Ask) -> None:
    class Slow(Vendor):
        async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
            await asyncio.Event().wait()
            return GOOD

    provider = connect_providers(load_model_catalogue(None, {"mine": lambda one: Slow(one, lambda: GOOD)}), {})["mine"]
    with pytest.raises(ProviderUnavailable, match=r"no whole answer within 0\.01 s"):
        await provider.complete(ask(timeout=0.01), NoDeltas())


@pytest.mark.parametrize(("answer", "name"), [(None, "NoneType"), ({"text": "yes"}, "dict")])
async def test_what_is_no_response_is_refused(ask: Ask, answer: object, name: str) -> None:
    with pytest.raises(AnswerUnreadable, match=f"provider 'mine' returned {name} instead of a ModelResponse"):
        await connected(lambda: answer).complete(ask(), NoDeltas())


def broken(settings: ProviderSettings) -> Provider:
    raise LookupError(f"no region for {settings.key}")


def wordless(settings: ProviderSettings) -> Any:
    return "a provider"


def typed(settings: ProviderSettings) -> Provider:
    raise ConfigInvalid("set MINE_REGION")


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        (broken, r"provider 'mine' cannot be made: LookupError: no region for \[secret\]"),
        (wordless, "provider 'mine': str is no Provider: give it `complete` and `close`"),
        (lambda: None, "provider 'mine' cannot be made: TypeError: .* takes 0 positional arguments but 1 was given"),
        (typed, "^set MINE_REGION"),
    ],
)
def test_what_makes_no_provider(factory: Callable[..., Any], said: str) -> None:
    Path("models.yaml").write_text("providers: {mine: {key: K}}")
    models = load_model_catalogue("models.yaml", {"mine": factory})
    with pytest.raises(ConfigInvalid, match=said):
        connect_providers(models, {"K": KEY})


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"a:b": ScriptedProvider}, "provider 'a:b': a name has only letters"),
        ({"": ScriptedProvider}, "provider '': a name has only letters"),
        ({"chat": ScriptedProvider}, "provider 'chat': llmflow ships an API of this name"),
        ({"offline": ScriptedProvider}, "provider 'offline': llmflow ships an API of this name"),
        (
            {"mine": ScriptedProvider([])},
            r"provider 'mine': give the App its class, .* not ScriptedProvider\(",
        ),
    ],
)
def test_names_and_values_that_cannot_be(own: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigInvalid, match=said):
        load_model_catalogue(None, own)


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (
            "providers: {mine: {regoin: x}}",
            "1:20: provider 'mine' has no field 'regoin'. There is: api, base_url, ca_file",
        ),
        (
            "providers: {other: {}}",
            "1:20: provider 'other' has no `api`: give one of responses, chat, litellm, offline",
        ),
        ("providers: {other: {api: mien}}", "1:26: there is no api 'mien' (did you mean `mine`?)"),
        ("models: {smart: 'mien:a'}", "1:17: model 'mien:a': there is no provider 'mien' (did you mean `mine`?)"),
    ],
)
def test_mistakes_have_a_place(models: str, said: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        connected(lambda: GOOD, models)
    assert str(caught.value).startswith(f"models.yaml:{said}")
