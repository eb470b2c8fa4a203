"""From models.yaml and the environment to providers that can be asked."""

from collections.abc import Mapping

from llmflow.errors import AuthenticationFailed, ErrorDetail
from llmflow.providers.base import Provider
from llmflow.providers.litellm.provider import LitellmProvider
from llmflow.providers.models.catalogue import ModelCatalogue, ProviderEntry
from llmflow.providers.offline.provider import Offline
from llmflow.providers.openai.chat_provider import ChatProvider
from llmflow.providers.openai.endpoint import OPENAI, Endpoint
from llmflow.providers.openai.responses import ResponsesProvider
from llmflow.types.models import ModelRequest, ModelResponse


def connect_providers(models: ModelCatalogue, environ: Mapping[str, str]) -> dict[str, Provider]:
    """One provider per entry, by name. Nothing is imported or connected before the first call.

    A provider whose key is missing is there too and refuses each call, so that a fallback to the next candidate works,
    and the failure says which variable to set.

    Args:
        models: models.yaml.
        environ: Where the keys are; `OPENAI_BASE_URL` moves OpenAI's APIs that have no `base_url`.

    Raises:
        ConfigInvalid: a provider needs litellm, which is not installed.
    """
    return {name: _connect(name, entry, environ) for name, entry in models.providers.items()}


def addresses(models: ModelCatalogue, environ: Mapping[str, str]) -> dict[str, str | None]:
    """Where each provider is asked, by name; `None` where litellm chooses the address by the model's name.

    Args:
        models: models.yaml.
        environ: As for `connect_providers`.
    """
    return {
        name: entry.base_url if entry.api in {"litellm", "offline"} else _address(entry, environ)
        for name, entry in models.providers.items()
    }


def missing_keys(models: ModelCatalogue, environ: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The aliases of which no candidate can be asked, each with the environment variables of which one would help."""
    missing: dict[str, tuple[str, ...]] = {}
    for alias, candidates in models.aliases.items():
        needed = [_missing(models.providers[candidate.provider], environ) for candidate in candidates]
        if all(needed):
            missing[alias] = tuple(dict.fromkeys(name for name in needed if name))
    return missing


def _missing(entry: ProviderEntry, environ: Mapping[str, str]) -> str | None:
    """The variable that is not set, or holds what can be no key."""
    return entry.key if entry.key and not _key(environ.get(entry.key, "")) else None


def _key(value: str) -> str | None:
    """What a variable holds, without the line end that files of secrets have; `None` if no header could carry it."""
    value = value.strip()
    return value if value.isascii() and value.isprintable() and value and " " not in value else None


def _connect(name: str, entry: ProviderEntry, environ: Mapping[str, str]) -> Provider:
    if entry.api == "offline":
        return Offline()
    if variable := _missing(entry, environ):
        return Locked(name, variable)
    key = _key(environ[entry.key]) if entry.key else None
    if entry.api == "litellm":
        return LitellmProvider(name, base_url=entry.base_url, key=key)
    endpoint = Endpoint(name, base_url=_address(entry, environ), key=key)
    return ResponsesProvider(endpoint) if entry.api == "responses" else ChatProvider(endpoint)


def _address(entry: ProviderEntry, environ: Mapping[str, str]) -> str:
    """Of an API of OpenAI's kind."""
    return entry.base_url or environ.get("OPENAI_BASE_URL") or OPENAI


class Locked:
    """A provider whose key is missing: it sends nothing."""

    def __init__(self, name: str, variable: str) -> None:
        self._name = name
        self._variable = variable

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """See `Provider.complete`.

        Raises:
            AuthenticationFailed: always.
        """
        model = f"{self._name}:{request.model}"
        raise AuthenticationFailed(
            f"{model} was not asked: the environment variable {self._variable} holds no key; "
            f"set it where the worker runs (models.yaml names it for provider {self._name!r})",
            ErrorDetail(model=model),
        )

    async def close(self) -> None:
        """See `Provider.close`."""
