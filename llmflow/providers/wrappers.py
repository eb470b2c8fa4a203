"""Wrappers around providers: limits of waits, circuit breakers, limits of calls, answer modes, from the outside in."""

from collections.abc import Mapping

from llmflow.providers.answer_modes import AnswerModes
from llmflow.providers.breaker import Breaker
from llmflow.providers.connect import Locked
from llmflow.providers.limits.counters import Counters
from llmflow.providers.limits.limited import Limited
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.entries import OFFLINE
from llmflow.providers.patience import LONGEST_WAIT, Patient
from llmflow.types.providers import Provider


def wrap_providers(
    providers: Mapping[str, Provider], models: ModelCatalogue, redis_url: str | None = None
) -> dict[str, Provider]:
    """Wrap each provider in a circuit breaker, a limit of waits, and its limits of models.yaml if there are any.

    Providers that make no calls (offline, or without a key) are not wrapped.

    Args:
        providers: Providers by name, from `connect_providers`.
        models: The model catalogue.
        redis_url: `redis://host:port` of the Redis that holds a fleet's counters; without it each worker counts alone.
            It is connected at the first call, and only if there are limits.

    Raises:
        ConfigInvalid: the URL is invalid, or the extra `redis` is not installed.
    """
    asking = {name for name, provider in providers.items() if name != OFFLINE and not isinstance(provider, Locked)}
    counters = Counters(redis_url) if any(_has_limits(name, models) for name in asking) else None
    return {
        name: _wrapped(provider, name, models, counters) if name in asking else provider
        for name, provider in providers.items()
    }


def _wrapped(provider: Provider, name: str, models: ModelCatalogue, counters: Counters | None) -> Provider:
    entry = models.providers.get(name)
    typed = AnswerModes(provider, entry.api, entry.base_url) if entry else provider
    limited = _limited(typed, name, models, counters)
    return Patient(Breaker(limited, name), entry.longest_wait if entry else LONGEST_WAIT)


def _has_limits(name: str, models: ModelCatalogue) -> bool:
    own = name in models.providers and models.providers[name].limits
    return bool(own or models.tenants) or any(model.startswith(f"{name}:") for model in models.limits)


def _limited(provider: Provider, name: str, models: ModelCatalogue, counters: Counters | None) -> Provider:
    return Limited(provider, name, models, counters) if counters and _has_limits(name, models) else provider
