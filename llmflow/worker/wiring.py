"""The activities of an App, put together with providers and the store."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta

from temporalio.client import Client

from llmflow.activities.approvals.notifications import NotificationActivities
from llmflow.activities.approvals.webhook import Webhook
from llmflow.activities.completions import Completions
from llmflow.activities.forks.histories import Histories
from llmflow.activities.forks.interceptor import ForkInterceptor
from llmflow.activities.keys import Keys
from llmflow.activities.prompts import PromptActivities
from llmflow.activities.tools import tool_activity
from llmflow.app import App
from llmflow.config import Settings
from llmflow.plugin import Activities
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.stores.budgets.reservations import Budgets
from llmflow.stores.database import Database
from llmflow.stores.ledger.calls import Calls
from llmflow.stores.ledger.outbox import Outbox
from llmflow.stores.prompts.registry import Registry
from llmflow.types.providers import Provider
from llmflow.worker.apps import app_model_catalogue, app_prices, connected_providers, prompts_of, with_prices
from llmflow.worker.search_attributes import known_to_the_server

Lifespan = Callable[[Client], AbstractAsyncContextManager[object]]


def activities(
    app: App,
    *,
    settings: Settings | None = None,
    models: ModelCatalogue | None = None,
    providers: Mapping[str, Provider] | None = None,
) -> Activities:
    """Every activity that an App needs, for `LLMFlowPlugin(app, activities=activities(app))`.

    Args:
        app: Its prompts and models are read now.
        settings: From the environment if left out.
        models: Instead of the models.yaml of the App or the environment.
        providers: By name, instead of those that models.yaml describes; tests give scripted ones.

    Raises:
        ConfigInvalid: no models, or a models.yaml or prices.yaml that does not parse; says file:line:column.
        PromptInvalid: a prompt that does not parse; says file:line:column.
    """
    settings = settings or Settings.load()
    models = models or app_model_catalogue(app, settings)
    asked = providers if providers is not None else connected_providers(models, settings)
    prices = app_prices(app, settings, models)
    database = Database(settings.store_url)
    registry = Registry(database, prompts_of(app))
    calls = Calls(database, Outbox(settings.home / "outbox"))
    tools = {spec.name: (source, spec) for source in app.tools for spec in source.specs()}
    specs = {name: spec for name, (_, spec) in tools.items()}
    completions = Completions(registry, asked, specs, calls, Budgets(database), prices)
    known, histories = known_to_the_server(settings), Histories()
    prompts = PromptActivities(registry, with_prices(models, prices), settings.label, settings.by, known, histories)
    notifications = NotificationActivities(known, _webhook(settings))

    @asynccontextmanager
    async def lifespan(client: Client) -> AsyncGenerator[None]:
        async with (
            histories.serving(client),
            _closing({} if providers is not None else asked),
            _stored(database, registry, settings),
            calls.serving(timedelta(days=settings.keep_answers)),
        ):
            yield

    functions = [
        completions.complete,
        prompts.resolve,
        prompts.render,
        notifications.reach,
        notifications.notify,
        *(tool_activity(source, spec) for source, spec in tools.values()),
    ]
    return Activities(functions, shared(lifespan), [ForkInterceptor(histories), Keys()])


def pin_activities(app: App, *, settings: Settings | None = None, models: ModelCatalogue | None = None) -> Activities:
    """What a worker needs to run workflows whose calls other workers make: it asks no model and holds no keys.

    A run pins its prompts in a local activity, which always runs beside its workflow.

    ```python
    plugin = LLMFlowPlugin(app, activities=pin_activities(app))
    client = await Client.connect("localhost:7233", plugins=[plugin])
    worker = Worker(client, task_queue="mine", workflows=app.workflows, no_remote_activities=True)
    ```

    Args:
        app: Its prompts and models are read now.
        settings: From the environment if left out.
        models: Instead of the models.yaml of the App or the environment.

    Raises:
        ConfigInvalid: no models, or a models.yaml that does not parse; says file:line:column.
        PromptInvalid: a prompt that does not parse; says file:line:column.
    """
    settings = settings or Settings.load()
    models = models or app_model_catalogue(app, settings)
    database = Database(settings.store_url)
    registry = Registry(database, prompts_of(app))
    prices = app_prices(app, settings, models)
    histories = Histories()
    prompts = PromptActivities(
        registry, with_prices(models, prices), settings.label, settings.by, known_to_the_server(settings), histories
    )

    @asynccontextmanager
    async def lifespan(client: Client) -> AsyncGenerator[None]:
        async with histories.serving(client), _stored(database, registry, settings):
            yield

    return Activities([prompts.resolve], shared(lifespan))


def _webhook(settings: Settings) -> Webhook | None:
    if settings.webhook is None or settings.webhook_secret is None:
        return None
    return Webhook(settings.webhook, settings.webhook_secret.get_secret_value())


@asynccontextmanager
async def _stored(database: Database, registry: Registry, settings: Settings) -> AsyncGenerator[None]:
    """The store, with every version that is served from now on: its runs can end on it, whatever becomes of files."""
    async with database:
        await registry.push(settings.by)
        yield


@asynccontextmanager
async def _closing(providers: Mapping[str, Provider]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        for provider in providers.values():
            await provider.close()


def shared(lifespan: Lifespan) -> Lifespan:
    """A lifespan that the workers of one client enter together: it begins with the first and ends with the last."""
    users = 0
    opened = AsyncExitStack()
    changing = asyncio.Lock()

    @asynccontextmanager
    async def one(client: Client) -> AsyncGenerator[None]:
        nonlocal users
        async with changing:
            if not users:
                await opened.enter_async_context(lifespan(client))
            users += 1
        try:
            yield
        finally:
            async with changing:
                users -= 1
                if not users:
                    await opened.aclose()

    return one
