"""Makes providers from models.yaml and the environment."""

from collections.abc import Mapping
from types import MappingProxyType

from llmflow.errors import AuthenticationFailed, ErrorDetail
from llmflow.providers.keys import CommandKey, FileKey, as_key
from llmflow.providers.models.access import Access
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.entries import ProviderEntry
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink, KeySource, Provider, ProviderSettings
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
    """Return the first variable of an entry that is unset, or cannot be what it has to be."""
    if entry.key and not as_key(environ.get(entry.key, "")):
        return entry.key
    named = (*entry.access.headers.values(), *entry.access.query.values())
    return next((variable for variable in named if not _value(environ.get(variable, ""))), None)


def _value(text: str) -> str | None:
    """Strip a value of a header or of a parameter; `None` if a header cannot carry it."""
    text = text.strip()
    return text if text and text.isascii() and text.isprintable() else None


def _connect(name: str, models: ModelCatalogue, environ: Mapping[str, str]) -> Provider:
    entry = models.providers[name]
    if variable := _missing(entry, environ):
        return Locked(name, variable)
    settings = ProviderSettings(
        name=name,
        base_url=_address(name, models, environ),
        key=as_key(environ[entry.key]) if entry.key else None,
        key_source=_key_source(name, entry.access),
        headers=_values(entry.access.headers, environ),
        query=_values(entry.access.query, environ),
        ca_file=entry.access.ca_file or environ.get("REQUESTS_CA_BUNDLE"),
        limit_field=entry.access.limit_field,
    )
    return models.apis[entry.api].connect(settings)


def _values(variables: Mapping[str, str], environ: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({name: _value(environ[variable]) or "" for name, variable in variables.items()})


def _key_source(name: str, access: Access) -> KeySource | None:
    if access.key_file:
        return FileKey(name, access.key_file)
    return CommandKey(name, access.key_command) if access.key_command else None


def _address(name: str, models: ModelCatalogue, environ: Mapping[str, str]) -> str | None:
    entry = models.providers[name]
    return entry.base_url or models.apis[entry.api].address(environ)


class Locked:
    """A provider without a key, or another value of its environment; it refuses all calls."""

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
            f"{model} was not asked: the environment variable {self._variable} holds no key or value; "
            f"set it where the worker runs (models.yaml names it for provider {self._name!r})",
            ErrorDetail(model=model),
        )

    async def close(self) -> None:
        """See `Provider.close`."""
