"""What an App needs besides its code: models and their keys, prices, prompts; and whether they fit each other."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from llmflow.app import App
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid, ModelNotFound, did_you_mean
from llmflow.prompts.files import load_prompts
from llmflow.prompts.prompt import Prompts, PromptVersion
from llmflow.providers.connect import addresses, connect_providers
from llmflow.providers.connect import missing_keys as keys_missing
from llmflow.providers.models.catalogue import ModelCatalogue, load_model_catalogue
from llmflow.providers.models.routing import MIX
from llmflow.providers.pricing.billing import PaidCall
from llmflow.providers.pricing.price_list import load_price_list
from llmflow.providers.pricing.prices import Prices
from llmflow.providers.wrappers import wrap_providers
from llmflow.stores.ledger.paid_calls import LedgerCall
from llmflow.types.providers import Provider
from llmflow.types.usage import Cost


def app_model_catalogue(app: App, settings: Settings) -> ModelCatalogue:
    """Load the models that an App may use here: those of `LLMFLOW_MODELS`, of its own file, or of OpenAI.

    Raises:
        ConfigInvalid: the models.yaml is not there or does not parse; says file:line:column.
    """
    return load_model_catalogue(settings.models or app.models, app.providers)


def app_prices(app: App, settings: Settings, models: ModelCatalogue) -> Prices:
    """The prices of an App's calls: first those of `LLMFLOW_PRICES`, or of its own prices.yaml; then the public lists.

    Args:
        app: Whose prices.yaml.
        settings: Whose prices.yaml goes before it.
        models: Says where the providers are, which the price of a call depends on.

    Raises:
        ConfigInvalid: the prices.yaml does not parse; says file:line:column.
    """
    path = settings.prices or app.prices
    return Prices(load_price_list(path) if path else None, addresses(models, os.environ))


def recorded_price(path: Path | None) -> Callable[[LedgerCall], Cost]:
    """Prices calls of the ledger as the lists say today: first a prices.yaml, then the public ones.

    Raises:
        ConfigInvalid: the prices.yaml does not parse; says file:line:column.
    """
    prices = Prices(load_price_list(path) if path else None)
    return lambda call: prices.look_up(PaidCall(**vars(call)))


def connected_providers(models: ModelCatalogue, settings: Settings) -> dict[str, Provider]:
    """The vendors of a model catalogue, behind circuit breakers and the limits of models.yaml.

    Raises:
        ConfigInvalid: `LLMFLOW_REDIS` cannot be used, or an extra is not installed.
    """
    return wrap_providers(connect_providers(models, os.environ), models, settings.redis)


def with_prices(models: ModelCatalogue, prices: Prices) -> ModelCatalogue:
    """The model catalogue, with what `policy: cheapest` goes by."""

    def price(model: str) -> Decimal | None:
        return prices.expected(model, MIX, datetime.now(UTC)).usd

    return replace(models, price=price)


def missing_keys(models: ModelCatalogue) -> dict[str, tuple[str, ...]]:
    """The models of which no candidate can be asked here, each with the variables of which one would help."""
    return keys_missing(models, os.environ)


def check_prompts(app: App, models: ModelCatalogue) -> None:
    """Every model and tool that a prompt names is there. A run would find out after it has paid for the calls before.

    Raises:
        ConfigInvalid: one is not; names the prompt, and what is nearest.
        PromptInvalid: a prompt does not parse.
    """
    for prompt in prompts_of(app):
        check_prompt(prompt, app, models)


def check_prompt(prompt: PromptVersion, app: App, models: ModelCatalogue) -> None:
    """The model and the tools that one version of a prompt names are there.

    Raises:
        ConfigInvalid: one is not; names the prompt, and what is nearest.
    """
    try:
        if prompt.model:
            models.resolve(prompt.model)
    except ModelNotFound as error:
        raise ConfigInvalid(f"prompt `{prompt.ref.name}`: {error.message}") from None
    tools = [spec.name for spec in app.tool_specs]
    for tool in prompt.tools:
        if tool not in tools:
            raise ConfigInvalid(
                f"prompt `{prompt.ref.name}`: App {app.name!r} has no tool `{tool}`{did_you_mean(tool, tools)}. "
                f"It has: {', '.join(tools) or 'none'}"
            )


def prompts_of(app: App) -> Prompts:
    """The prompts in an App's files.

    Raises:
        ConfigInvalid: the folder is not there, or holds none.
        PromptInvalid: some do not parse; says file:line:column.
    """
    return load_prompts(app.prompts, app.name) if app.prompts else Prompts()
