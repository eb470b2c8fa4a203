"""What is wrapped around the vendors: a circuit breaker, and behind it the limits of models.yaml."""

from collections.abc import Mapping

from llmflow.providers.breaker import Breaker
from llmflow.providers.connect import Locked
from llmflow.providers.limits.counters import Counters
from llmflow.providers.limits.limited import Limited
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.entries import OFFLINE
from llmflow.types.providers import Provider


def wrap_providers(
    providers: Mapping[str, Provider], models: ModelCatalogue, redis_url: str | None = None
) -> dict[str, Provider]:
    """The same providers, each with a circuit breaker, and with limits where models.yaml has some that concern it.

    Those that ask nobody, since they are offline or their key is missing, stay as they are and use up no limit.

    Args:
        providers: By name, as `connect_providers` gives them.
        models: models.yaml.
        redis_url: `redis://host:port` of the Redis in which a fleet counts together; without it each worker counts
            alone. It is not connected before the first call, and never without limits.

    Raises:
        ConfigInvalid: the URL is none, or the extra `redis` is not installed.
    """
    asking = {name for name, provider in providers.items() if name != OFFLINE and not isinstance(provider, Locked)}
    counters = Counters(redis_url) if any(_has_limits(name, models) for name in asking) else None
    return {
        name: Breaker(_limited(provider, name, models, counters), name) if name in asking else provider
        for name, provider in providers.items()
    }


def _has_limits(name: str, models: ModelCatalogue) -> bool:
    own = name in models.providers and models.providers[name].limits
    return bool(own or models.tenants) or any(model.startswith(f"{name}:") for model in models.limits)


def _limited(provider: Provider, name: str, models: ModelCatalogue, counters: Counters | None) -> Provider:
    return Limited(provider, name, models, counters) if counters and _has_limits(name, models) else provider
