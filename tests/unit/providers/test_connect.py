"""From models.yaml and an environment to providers."""

import subprocess
import sys

import pytest

from llmflow.errors import AuthenticationFailed
from llmflow.providers.connect import addresses, connect_providers, missing_keys
from llmflow.providers.models.catalogue import ModelCatalogue, load_model_catalogue
from llmflow.providers.models.entries import ProviderEntry
from llmflow.providers.offline.provider import Offline
from llmflow.types.models import Candidate
from llmflow.types.providers import NoDeltas
from tests.helpers.model_server import ModelServer

from .conftest import Ask

OPENAI = ProviderEntry(api="responses", key="OPENAI_API_KEY")


def models_with(**providers: ProviderEntry) -> ModelCatalogue:
    return ModelCatalogue(providers=providers, aliases={})


async def test_keys_and_addresses_come_from_the_environment(server: ModelServer, ask: Ask) -> None:
    gateway = ProviderEntry(api="chat", base_url=server.url, key="GATEWAY_KEY")
    local = ProviderEntry(api="chat", base_url=server.url)
    environ = {"OPENAI_API_KEY": "sk-one\n", "OPENAI_BASE_URL": server.url, "GATEWAY_KEY": "sk-two"}
    providers = connect_providers(models_with(openai=OPENAI, gateway=gateway, local=local), environ)
    for provider in providers.values():
        await provider.complete(ask(), NoDeltas())
        await provider.close()
    sent = [(request.path, request.headers.get("authorization")) for request in server.requests]
    assert sent == [
        ("/v1/responses", "Bearer sk-one"),
        ("/v1/chat/completions", "Bearer sk-two"),
        ("/v1/chat/completions", None),
    ]


async def test_where_a_provider_is_asked_is_known_before(server: ModelServer, ask: Ask) -> None:
    """As the answer says it afterwards."""
    models = models_with(
        openai=ProviderEntry(api="responses"),
        local=ProviderEntry(api="chat", base_url=f"{server.url}/"),
        any=ProviderEntry(api="litellm"),
        mine=ProviderEntry(api="litellm", base_url="http://gateway.corp.test"),
        offline=ProviderEntry(api="offline"),
    )
    environ = {"OPENAI_BASE_URL": server.url}
    known = addresses(models, environ)
    for name, provider in connect_providers(
        models_with(**{n: models.providers[n] for n in ("openai", "local")}), environ
    ).items():
        assert (await provider.complete(ask(), NoDeltas())).base_url == known[name]
        await provider.close()
    assert known | {"openai": "", "local": ""} == {
        "openai": "",
        "local": "",
        "any": None,
        "mine": "http://gateway.corp.test",
        "offline": None,
    }
    assert addresses(models_with(openai=OPENAI), {}) == {"openai": "https://api.openai.com/v1"}


@pytest.mark.parametrize("value", [None, "", "  ", "two words", "smart“quotes”", "line\x07"])
async def test_a_missing_key_says_which_variable_to_set(ask: Ask, value: str | None) -> None:
    environ = {} if value is None else {"OPENAI_API_KEY": value}
    provider = connect_providers(models_with(openai=OPENAI), environ)["openai"]
    with pytest.raises(
        AuthenticationFailed, match=r"openai:gpt-5\.4 was not asked.*OPENAI_API_KEY holds no key"
    ) as caught:
        await provider.complete(ask(), NoDeltas())
    assert caught.value.detail.model == "openai:gpt-5.4"
    assert not (value or "").strip() or (value or "").strip() not in str(caught.value)
    await provider.close()


def test_aliases_that_cannot_be_served() -> None:
    providers = {
        "openai": OPENAI,
        "groq": ProviderEntry(api="chat", base_url="http://x", key="GROQ_KEY"),
        "local": ProviderEntry(api="chat", base_url="http://x"),
    }
    aliases = {
        "one": (Candidate(model="openai:a"),),
        "either": (Candidate(model="openai:a"), Candidate(model="groq:a"), Candidate(model="openai:b")),
        "rescued": (Candidate(model="openai:a"), Candidate(model="local:a")),
    }
    models = ModelCatalogue(providers=providers, aliases=aliases)
    assert missing_keys(models, {}) == {"one": ("OPENAI_API_KEY",), "either": ("OPENAI_API_KEY", "GROQ_KEY")}
    assert missing_keys(models, {"GROQ_KEY": "gsk"}) == {"one": ("OPENAI_API_KEY",)}
    assert missing_keys(models, {"OPENAI_API_KEY": "sk"}) == {}


def test_offline() -> None:
    providers = connect_providers(load_model_catalogue("offline"), {})
    assert isinstance(providers["offline"], Offline)


def test_the_sdk_is_imported_at_the_first_call_and_not_before() -> None:
    code = "import sys; import llmflow.providers.connect; print('openai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
