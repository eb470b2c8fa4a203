"""Models, providers and prices of the Apps that a worker serves."""

from collections.abc import Mapping
from dataclasses import dataclass

from llmflow.errors import ConfigInvalid
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.pricing.prices import Prices
from llmflow.types.providers import Provider
from llmflow.types.refs import app_of


@dataclass(frozen=True, kw_only=True)
class Vendors:
    """Models of one App, with the providers that it asks and their prices."""

    models: ModelCatalogue
    providers: Mapping[str, Provider]
    """Providers by name; empty on a worker that calls no models."""
    prices: Prices


class VendorsByApp:
    """Vendors by App. A call belongs to the App at the beginning of its prompt's name."""

    def __init__(self, by_app: Mapping[str, Vendors]) -> None:
        self._by_app = dict(by_app)

    @property
    def apps(self) -> tuple[str, ...]:
        """Return the names of the worker's Apps."""
        return tuple(self._by_app)

    def app(self, prompt: str) -> str:
        """Return the name of a prompt's App."""
        return self.apps[0] if len(self._by_app) == 1 else app_of(prompt)

    def of(self, prompt: str) -> Vendors:
        """Return the vendors of a prompt's App; a worker of one App serves prompts of all names.

        Raises:
            ConfigInvalid: the worker has several Apps, but none of that name.
        """
        if len(self._by_app) == 1:
            [sole] = self._by_app.values()
            return sole
        if (app := app_of(prompt)) not in self._by_app:
            known = ", ".join(sorted(self._by_app))
            raise ConfigInvalid(
                f"prompt `{prompt}`: this worker serves the Apps {known}; begin the prompt's name with one of them"
            )
        return self._by_app[app]
