"""Makes providers from models.yaml and the environment."""

from collections.abc import Mapping

from llmflow.errors import AuthenticationFailed, ErrorDetail
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.entries import ProviderEntry
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink, Provider, ProviderSettings
from llmflow.types.refs import ModelRef


def connect_providers(models: ModelCatalogue, environ: Mapping[str, str]) -> dict[str, Provider]:
    """Make one provider per entry, by name. Nothing is imported or connected before the first call.

    A provider without a key refuses each call, so that a fallback to the next candidate works and the error names the
    variable to set.

    Args:
        models: The model catalogue.
        environ: Environment with the keys; `OPENAI_BASE_URL` is the base URL of OpenAI entries without `base_url`.

    Raises:
        ConfigInvalid: a provider needs litellm, which is not installed; the environment's proxy cannot be used; or an
            App's own provider cannot be made.
    """
    return {name: _connect(name, models, environ) for name in models.providers}


def addresses(models: ModelCatalogue, environ: Mapping[str, str]) -> dict[str, str | None]:
    """Return the base URL of each provider, by name; `None` if it is unknown before a call.

    Args:
        models: The model catalogue.
        environ: As for `connect_providers`.
    """
    return {name: _address(name, models, environ) for name in models.providers}


def missing_keys(models: ModelCatalogue, environ: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return aliases whose candidates all lack a key, each with the variables, one of which must be set."""
    missing: dict[str, tuple[str, ...]] = {}
    for alias, candidates in models.aliases.items():
        needed = [_missing(models.providers[candidate.provider], environ) for candidate in candidates]
        if all(needed):
            missing[alias] = tuple(dict.fromkeys(name for name in needed if name))
    return missing


def _missing(entry: ProviderEntry, environ: Mapping[str, str]) -> str | None:
    """Return the variable of an entry's key if it is unset or cannot be a key."""
    return entry.key if entry.key and not _key(environ.get(entry.key, "")) else None


def _key(value: str) -> str | None:
    """Strip a key, because files of secrets end in a newline; `None` if a header cannot carry it."""
    value = value.strip()
    return value if value.isascii() and value.isprintable() and value and " " not in value else None


def _connect(name: str, models: ModelCatalogue, environ: Mapping[str, str]) -> Provider:
    entry = models.providers[name]
    if variable := _missing(entry, environ):
        return Locked(name, variable)
    key = _key(environ[entry.key]) if entry.key else None
    settings = ProviderSettings(name=name, base_url=_address(name, models, environ), key=key)
    return models.apis[entry.api].connect(settings)


def _address(name: str, models: ModelCatalogue, environ: Mapping[str, str]) -> str | None:
    entry = models.providers[name]
    return entry.base_url or models.apis[entry.api].address(environ)


class Locked:
    """A provider without a key; it refuses all calls."""

    def __init__(self, name: str, variable: str) -> None:
        self._name = name
        self._variable = variable

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """See `Provider.complete`.

        Raises:
            AuthenticationFailed: always.
        """
        model = str(ModelRef(self._name, request.model))
        raise AuthenticationFailed(
            f"{model} was not asked: the environment variable {self._variable} holds no key; "
            f"set it where the worker runs (models.yaml names it for provider {self._name!r})",
            ErrorDetail(model=model),
        )

    async def close(self) -> None:
        """See `Provider.close`."""
