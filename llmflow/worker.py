"""The worker: the only file that puts activities, providers and stores together."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

from temporalio.service import RPCError
from temporalio.worker import Worker

from llmflow.activities.completions import Completions
from llmflow.activities.prompts import PromptActivities
from llmflow.activities.tools import tool_activity
from llmflow.app import App
from llmflow.client import Client, connect
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid, ModelNotFound, did_you_mean
from llmflow.plugin import GRACEFUL_SHUTDOWN, Activities, LLMFlowPlugin
from llmflow.providers import pricing
from llmflow.providers.base import Provider
from llmflow.providers.catalogue import OFFLINE, Catalogue, load_catalogue
from llmflow.providers.connect import connect_providers
from llmflow.providers.connect import missing_keys as keys_missing
from llmflow.providers.offline import OFFLINE_NOTICE
from llmflow.stores.calls import Calls
from llmflow.stores.database import Database
from llmflow.stores.outbox import Outbox
from llmflow.stores.prompt_files import load_prompts
from llmflow.stores.prompts import Prompts
from llmflow.telemetry.health import health_endpoint
from llmflow.telemetry.logs import log_our_errors_in_one_line
from llmflow.telemetry.metrics import metrics_runtime

_log = logging.getLogger("llmflow.worker")


def activities(
    app: App,
    *,
    settings: Settings | None = None,
    catalogue: Catalogue | None = None,
    providers: Mapping[str, Provider] | None = None,
) -> Activities:
    """Every activity that an App needs, for `LLMFlowPlugin(app, activities=activities(app))`.

    Args:
        app: Its prompts and models are read now.
        settings: From the environment if left out.
        catalogue: Instead of the models.yaml of the App or the environment.
        providers: By name, instead of those that the catalogue describes; tests give scripted ones.

    Raises:
        ConfigInvalid: no models, or a models.yaml that does not parse; says file:line:column.
        PromptInvalid: a prompt that does not parse; says file:line:column.
    """
    settings = settings or Settings.load()
    prompts = _prompts(app, settings)
    models = catalogue or app_catalogue(app, settings)
    connected = providers if providers is not None else connect_providers(models, os.environ)
    database = Database(settings.store_url)
    calls = Calls(database, Outbox(settings.home / "outbox"))
    completions = Completions(prompts, connected, {tool.name: tool for tool in app.tools}, calls)
    prompt_activities = PromptActivities(prompts, models)

    @asynccontextmanager
    async def lifespan() -> AsyncGenerator[None]:
        async with database, calls.serving(timedelta(days=settings.keep_answers)):
            yield

    functions = [
        completions.complete,
        prompt_activities.resolve,
        prompt_activities.render,
        *(tool_activity(tool) for tool in app.tools),
    ]
    return Activities(functions, lifespan)


def pin_activities(app: App, *, settings: Settings | None = None, catalogue: Catalogue | None = None) -> Activities:
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
        catalogue: Instead of the models.yaml of the App or the environment.

    Raises:
        ConfigInvalid: no models, or a models.yaml that does not parse; says file:line:column.
        PromptInvalid: a prompt that does not parse; says file:line:column.
    """
    settings = settings or Settings.load()
    resolve = PromptActivities(_prompts(app, settings), catalogue or app_catalogue(app, settings)).resolve
    return Activities([resolve])


def app_catalogue(app: App, settings: Settings) -> Catalogue:
    """The models that an App may use here: those of `LLMFLOW_MODELS`, or its own.

    Raises:
        ConfigInvalid: neither names a models.yaml, or it does not parse; says file:line:column.
    """
    path = settings.models or app.models
    if path is None:
        raise ConfigInvalid(f"App {app.name!r} has no models: give it models=Path(...), or set LLMFLOW_MODELS")
    return load_catalogue(path)


def missing_keys(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """The models of which no candidate can be asked here, each with the variables of which one would help."""
    return keys_missing(catalogue, os.environ)


async def run(
    app: App,
    *,
    settings: Settings | None = None,
    address: str | None = None,
    task_queue: str | None = None,
    max_concurrent_activities: int = 100,
    grace: timedelta = GRACEFUL_SHUTDOWN,
    metrics: str | None = None,
    health: str | None = None,
    ready: Callable[[Client], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve an App until SIGTERM or SIGINT; then take nothing new, finish the running calls, and return.

    Args:
        app: What to serve.
        settings: From the environment if left out.
        address: Temporal's, instead of the one in its own environment variables and profiles.
        task_queue: Instead of the App's own.
        max_concurrent_activities: Model calls and tool calls at once.
        grace: For running calls to end; longer ones are made and paid again. As long as the longest call, or longer.
        metrics: `host:port` for Prometheus.
        health: `host:port` for a health check over HTTP: 200 while it serves and Temporal answers.
        ready: Called when it polls.
        stop: Ends it as a signal does.

    Raises:
        ServerUnavailable: no Temporal server answers.
        ConfigInvalid: something it needs is missing: models, keys, a free port, or what a prompt names.
        PromptInvalid: a prompt that does not parse.
    """
    log_our_errors_in_one_line()
    settings = settings or Settings.load()
    catalogue = app_catalogue(app, settings)
    _check_models(catalogue)
    check_prompts(app, catalogue)
    providers = connect_providers(catalogue, os.environ)
    plugin = LLMFlowPlugin(app, activities=activities(app, settings=settings, catalogue=catalogue, providers=providers))
    client = await connect(app, address=address, plugin=plugin, runtime=metrics_runtime(metrics))
    await asyncio.to_thread(pricing.warm)  # else the first answer would hold up every other call for 0.2 s
    worker = Worker(
        client.temporal,
        task_queue=task_queue or app.task_queue,
        workflows=app.workflows,
        max_concurrent_activities=max_concurrent_activities,
        graceful_shutdown_timeout=grace or timedelta(milliseconds=1),  # the plugin takes none for "not set"
    )
    stop = stop or asyncio.Event()

    async def healthy() -> bool:
        return not stop.is_set() and await _answers(client)

    async with _closing(providers), health_endpoint(health, healthy), worker:
        with _stopped_by_signals(stop):
            _log.info("serving %s on task queue %s", app.name, worker.task_queue)
            if ready:
                ready(client)
            await stop.wait()
            _log.info("finishing the running calls; a second signal stops at once")


def _check_models(catalogue: Catalogue) -> None:
    if OFFLINE in catalogue.providers:
        _log.warning(OFFLINE_NOTICE)
    missing = missing_keys(catalogue)
    for alias, variables in missing.items():
        _log.warning("nothing can answer model %r here: set %s", alias, " or ".join(variables))
    if missing and len(missing) == len(catalogue.aliases):
        wanted = ", ".join(dict.fromkeys(variable for variables in missing.values() for variable in variables))
        raise ConfigInvalid(f"no model can be asked: set {wanted}, or LLMFLOW_MODELS=offline to try it without a model")


def check_prompts(app: App, catalogue: Catalogue) -> None:
    """Every model and tool that a prompt names is there. A run would find out after it has paid for the calls before.

    Raises:
        ConfigInvalid: one is not; names the prompt, and what is nearest.
        PromptInvalid: a prompt does not parse.
    """
    tools = [tool.name for tool in app.tools]
    for prompt in load_prompts(app.prompts, app.name) if app.prompts else ():
        try:
            if prompt.model:
                catalogue.resolve(prompt.model)
        except ModelNotFound as error:
            raise ConfigInvalid(f"prompt `{prompt.ref.name}`: {error.message}") from None
        for tool in prompt.tools:
            if tool not in tools:
                raise ConfigInvalid(
                    f"prompt `{prompt.ref.name}`: App {app.name!r} has no tool `{tool}`{did_you_mean(tool, tools)}. "
                    f"It has: {', '.join(tools) or 'none'}"
                )


def _prompts(app: App, settings: Settings) -> Prompts:
    return load_prompts(app.prompts, app.name, settings.home / "prompts") if app.prompts else Prompts()


async def _answers(client: Client) -> bool:
    try:
        return await client.temporal.service_client.check_health(timeout=timedelta(seconds=2))
    except RPCError:
        return False


@asynccontextmanager
async def _closing(providers: Mapping[str, Provider]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        for provider in providers.values():
            await provider.close()


@contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Generator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)

    def received() -> None:
        stop.set()
        for one in signals:
            loop.remove_signal_handler(one)
            signal.signal(one, signal.SIG_DFL)  # Python's own handler of SIGINT would still wait for the calls

    for one in signals:
        loop.add_signal_handler(one, received)
    try:
        yield
    finally:
        for one in signals:
            loop.remove_signal_handler(one)
