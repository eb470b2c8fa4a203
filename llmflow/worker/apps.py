"""Loads an App's models, prices and prompts, and checks that they fit together."""

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
        ConfigInvalid: models.yaml does not exist or does not parse; the message has file:line:column.
    """
    return load_model_catalogue(settings.models or app.models, app.providers)


def app_prices(app: App, settings: Settings, models: ModelCatalogue) -> Prices:
    """Load the prices of an App: those of `LLMFLOW_PRICES`, or of its own prices.yaml, then the public lists.

    Args:
        app: App with a prices.yaml.
        settings: Settings with another prices.yaml, which wins.
        models: Model catalogue, for the base URLs that prices depend on.

    Raises:
        ConfigInvalid: the prices.yaml does not parse; the message has file:line:column.
    """
    path = settings.prices or app.prices
    return Prices(load_price_list(path) if path else None, addresses(models, os.environ))


def price_lists(app: App, settings: Settings, models: ModelCatalogue) -> tuple[tuple[str, ...], Callable[[str], Cost]]:
    """Return the names of an App's price lists, and the cost of a plain call of a `provider:model` today.

    Raises:
        ConfigInvalid: the prices.yaml does not parse; the message has file:line:column.
    """
    prices, now = app_prices(app, settings, models), datetime.now(UTC)
    return prices.lists(now.date()), lambda model: prices.expected(model, MIX, now)


def recorded_price(path: Path | None) -> Callable[[LedgerCall], Cost]:
    """Make a function that prices calls of the ledger by current lists: first a prices.yaml, then the public ones.

    Raises:
        ConfigInvalid: the prices.yaml does not parse; the message has file:line:column.
    """
    prices = Prices(load_price_list(path) if path else None)
    return lambda call: prices.look_up(PaidCall(**vars(call)))


def connected_providers(models: ModelCatalogue, settings: Settings) -> dict[str, Provider]:
    """Make the providers of a model catalogue, with circuit breakers and the limits of models.yaml.

    Raises:
        ConfigInvalid: `LLMFLOW_REDIS` is invalid, or an extra is not installed.
    """
    return wrap_providers(connect_providers(models, os.environ), models, settings.redis)


def with_prices(models: ModelCatalogue, prices: Prices) -> ModelCatalogue:
    """Return the model catalogue with prices for `policy: cheapest`."""

    def price(model: str) -> Decimal | None:
        return prices.expected(model, MIX, datetime.now(UTC)).usd

    return replace(models, price=price)


def missing_keys(models: ModelCatalogue) -> dict[str, tuple[str, ...]]:
    """Return aliases whose candidates all lack a key, each with the variables, one of which must be set."""
    return keys_missing(models, os.environ)


def check_prompts(app: App, models: ModelCatalogue) -> None:
    """Check that every model and tool named by a prompt exists: a run would only fail after paying for earlier calls.

    Raises:
        ConfigInvalid: one does not; the message names the prompt and the nearest name.
        PromptInvalid: a prompt does not parse.
    """
    for prompt in prompts_of(app):
        check_prompt(prompt, app, models)


def check_tools(app: App) -> None:
    """Check that an App serves the tools that its workflows name: their calls would wait for a worker that does.

    Raises:
        ConfigInvalid: it lacks one; the message names the workflow and the tool.
    """
    for workflow, tool in app.missing_tools:
        raise ConfigInvalid(
            f"workflow {workflow} uses the tool `{tool}`, which App {app.name!r} does not serve: add it to tools=[...]"
        )


def check_prompt(prompt: PromptVersion, app: App, models: ModelCatalogue) -> None:
    """Check that the model and the tools named by a prompt version exist.

    Raises:
        ConfigInvalid: one does not; the message names the prompt and the nearest name.
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
    """Load the prompts of an App's files.

    Raises:
        ConfigInvalid: the folder does not exist, or has no prompts.
        PromptInvalid: a prompt does not parse; the message has file:line:column.
    """
    return load_prompts(app.prompts, app.name) if app.prompts else Prompts()
