"""Wires the activities of Apps with providers and the store."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio.client import Client
from temporalio.worker import Interceptor

from llmflow.activities.approvals.notifications import NotificationActivities
from llmflow.activities.approvals.sent import SentDecisions
from llmflow.activities.approvals.webhook import Webhook
from llmflow.activities.charges import Charges
from llmflow.activities.completions import Completions
from llmflow.activities.constants import ConstantActivities
from llmflow.activities.conversations.threads import Threads
from llmflow.activities.events.calls import CallEvents
from llmflow.activities.events.log import EventLog
from llmflow.activities.fleet import Fleet, unserved
from llmflow.activities.forks.decisions import RecordedDecisions
from llmflow.activities.forks.effects import Standing
from llmflow.activities.forks.histories import Histories
from llmflow.activities.forks.interceptor import ForkInterceptor
from llmflow.activities.kept import KeptResults
from llmflow.activities.keys import Keys
from llmflow.activities.prompts import PromptActivities
from llmflow.activities.raises import Raises
from llmflow.activities.scores import ScoreActivities
from llmflow.activities.tools import tool_activity
from llmflow.activities.vendors import Vendors, VendorsByApp
from llmflow.app import App, together
from llmflow.config import Settings
from llmflow.plugin.sizes import ResultSizes
from llmflow.prompts.prompt import Prompts
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.stores.budgets.reservations import Budgets
from llmflow.stores.database import Database
from llmflow.stores.ledger.calls import Calls
from llmflow.stores.ledger.outbox import Outbox
from llmflow.stores.prompts.registry import Registry
from llmflow.types.contracts import COMPLETE, RENDER
from llmflow.types.providers import Provider
from llmflow.worker.apps import app_model_catalogue, app_prices, connected_providers, prompts_of, with_prices
from llmflow.worker.budget_warnings import BudgetWarnings
from llmflow.worker.search_attributes import known_to_the_server

Lifespan = Callable[[Client], AbstractAsyncContextManager[object]]


@dataclass(frozen=True, kw_only=True)
class Activities:
    """Activities with their lifespan and interceptors."""

    local: Sequence[Callable[..., Any]]  # Any: activities of every signature
    """Those that may run beside the workflow: a run pins its prompts and constants in local activities, and workflow
    code may call tools in them."""
    calls: Sequence[Callable[..., Any]] = ()  # Any: as above
    """Those that are scheduled on the task queue of llmflow's calls."""
    database: Database
    """The store, which is open in the lifespan."""
    lifespan: Lifespan
    """Resources that are open while the worker of a client runs."""
    interceptors: Sequence[Interceptor] = ()
    """Interceptors of activities, the first one outermost, outside of metrics and traces."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """Parts of the activities of Apps, beside the Apps."""

    settings: Settings
    models: ModelCatalogue | None = None
    """Model catalogue of all Apps, instead of the models.yaml of the App or the environment."""
    providers: Mapping[str, Provider] | None = None
    """Providers by name, instead of those of models.yaml; tests give scripted ones."""
    fleet: Fleet = field(default_factory=Fleet)


def activities(apps: Sequence[App], given: Given, events: EventLog) -> Activities:
    """Make all activities of Apps. It reads their prompts and models.

    Raises:
        ConfigInvalid: a models.yaml or prices.yaml does not parse (the message has file:line:column), or an extra is
            missing.
        PromptInvalid: a prompt does not parse; the message has file:line:column.
    """
    settings = given.settings
    database = Database(settings.store_url)
    files = partial(_files, apps)
    registry, vendors = Registry(database, files()), _vendors(apps, given, calls_models=True)
    webhook = _webhook(settings)
    warnings = BudgetWarnings(webhook)
    calls = Calls(database, Outbox(settings.home / "outbox"), warn=warnings.tell)
    tools = {spec.name: (source, spec) for source in together(apps).tools for spec in source.specs()}
    specs = {name: spec for name, (_, spec) in tools.items()}
    by_app = VendorsByApp(vendors)
    budgets = Budgets(database)
    completions = Completions(registry, by_app, specs, calls, budgets, Threads(database, registry), given.fleet)
    known, histories = known_to_the_server(settings), Histories()
    prompts = PromptActivities(registry, by_app, settings.label, settings.by, known, histories, given.fleet, files)
    notifications = NotificationActivities(known, webhook)

    @asynccontextmanager
    async def opened() -> AsyncGenerator[None]:
        async with (
            _closing([] if given.providers is not None else vendors.values()),
            _stored(database, registry, settings),
            calls.serving(timedelta(days=settings.keep_answers)),
        ):
            yield

    local = [
        *_of_workflows(apps, given, database, prompts, histories),
        *(tool_activity(source, spec) for source, spec in tools.values()),
    ]
    # The events are innermost: they show the beginning of a result, of which the history may have less.
    own = [Keys(), ResultSizes({COMPLETE.name, RENDER.name, *tools}), KeptResults(database), CallEvents(events, tools)]
    return Activities(
        local=local,
        calls=[
            completions.complete,
            prompts.render,
            notifications.reach,
            notifications.notify,
            SentDecisions(histories).sent,
            RecordedDecisions(histories).recall,
            Standing(histories).stands,
            Raises(database).raise_budget,
            *local,  # tools, and what runs on workers that lack it read here
            *((unserved,) if given.fleet.is_one_worker else ()),
        ],
        database=database,
        lifespan=_lifespan(histories, shared(opened), warnings),
        interceptors=[ForkInterceptor(histories, completions.reused), Charges(histories, calls, budgets), *own],
    )


def pins_alone(apps: Sequence[App], given: Given) -> Activities:
    """Make the activities of a worker that only runs workflows: it asks no model and needs no keys.

    Raises:
        ConfigInvalid: a models.yaml does not parse; the message has file:line:column.
        PromptInvalid: a prompt does not parse; the message has file:line:column.
    """
    settings = given.settings
    database = Database(settings.store_url)
    files = partial(_files, apps)
    registry, vendors = Registry(database, files()), VendorsByApp(_vendors(apps, given, calls_models=False))
    known, histories = known_to_the_server(settings), Histories()
    prompts = PromptActivities(registry, vendors, settings.label, settings.by, known, histories, given.fleet, files)

    @asynccontextmanager
    async def opened() -> AsyncGenerator[None]:
        async with _stored(database, registry, settings):
            yield

    local = _of_workflows(apps, given, database, prompts, histories)
    return Activities(local=local, database=database, lifespan=_lifespan(histories, shared(opened)))


def _of_workflows(
    apps: Sequence[App], given: Given, database: Database, prompts: PromptActivities, histories: Histories
) -> Sequence[Callable[..., Any]]:  # Any: as above
    """Return the local activities that every worker with workflows has."""
    constants = {app.name: app.constants for app in apps}
    return (
        prompts.resolve,
        ConstantActivities(constants, histories, given.fleet).read,
        ScoreActivities(database).put,
    )


def _files(apps: Sequence[App]) -> Prompts:
    return Prompts(prompt for app in apps for prompt in prompts_of(app))


def _vendors(apps: Sequence[App], given: Given, *, calls_models: bool) -> dict[str, Vendors]:
    """Make the vendors of each App. Apps with the same models.yaml share providers, and so their limits per minute."""
    connected: list[tuple[ModelCatalogue, Mapping[str, Provider]]] = []

    def providers_of(models: ModelCatalogue) -> Mapping[str, Provider]:
        if given.providers is not None or not calls_models:
            return given.providers or {}
        for known, providers in connected:
            if known == models:
                return providers
        connected.append((models, connected_providers(models, given.settings)))
        return connected[-1][1]

    vendors: dict[str, Vendors] = {}
    for app in apps:
        models = given.models or app_model_catalogue(app, given.settings)
        prices = app_prices(app, given.settings, models)
        vendors[app.name] = Vendors(models=with_prices(models, prices), providers=providers_of(models), prices=prices)
    return vendors


def _webhook(settings: Settings) -> Webhook | None:
    if settings.webhook is None or settings.webhook_secret is None:
        return None
    return Webhook(settings.webhook, settings.webhook_secret.get_secret_value())


@asynccontextmanager
async def _stored(database: Database, registry: Registry, settings: Settings) -> AsyncGenerator[None]:
    """Open the store and push all served prompt versions, so that runs can finish on them after files change."""
    async with database:
        await registry.push(settings.by)
        yield


@asynccontextmanager
async def _closing(vendors: Iterable[Vendors]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        for provider in {id(one): one for some in vendors for one in some.providers.values()}.values():
            await provider.close()


def _lifespan(
    histories: Histories,
    opened: Callable[[], AbstractAsyncContextManager[None]],
    warnings: BudgetWarnings | None = None,
) -> Lifespan:
    @asynccontextmanager
    async def lifespan(client: Client) -> AsyncGenerator[None]:
        async with histories.serving(client), warnings.serving(client) if warnings else nullcontext(), opened():
            yield

    return lifespan


def shared(
    opened: Callable[[], AbstractAsyncContextManager[object]],
) -> Callable[[], AbstractAsyncContextManager[None]]:
    """Share resources between the workers of a plugin: they open with the first and close with the last."""
    users = 0
    resources = AsyncExitStack()
    changing = asyncio.Lock()

    @asynccontextmanager
    async def one() -> AsyncGenerator[None]:
        nonlocal users
        async with changing:
            if not users:
                await resources.enter_async_context(opened())
            users += 1
        try:
            yield
        finally:
            async with changing:
                users -= 1
                if not users:
                    await resources.aclose()

    return one
