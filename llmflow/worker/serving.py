"""A worker process, from its checks to the end of its last call."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta

from temporalio.service import RPCError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError

from llmflow.app import App
from llmflow.client import Client, connect
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid
from llmflow.plugin.plugin import GRACEFUL_SHUTDOWN
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.entries import OFFLINE
from llmflow.providers.offline.provider import OFFLINE_NOTICE
from llmflow.providers.pricing.prices import warm_prices
from llmflow.telemetry.health import health_endpoint
from llmflow.telemetry.logs import log_our_errors_in_one_line
from llmflow.telemetry.runtime import process_runtime
from llmflow.worker.apps import app_model_catalogue, check_prompts, missing_keys
from llmflow.worker.plugin import LLMFlowPlugin
from llmflow.worker.search_attributes import add_missing

_log = logging.getLogger("llmflow.worker")


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
        StoreUnavailable: the store does not.
        ConfigInvalid: something it needs is missing: models, keys, a free port, the store's tables, or what a prompt
            names; or the sandbox cannot import the module of a workflow.
        PromptInvalid: a prompt that does not parse.
    """
    log_our_errors_in_one_line()
    settings = settings or Settings.load()
    models = app_model_catalogue(app, settings)
    _check_models(models)
    check_prompts(app, models)
    plugin = LLMFlowPlugin(app, settings=settings, models=models)
    needed = plugin.lifespan  # read now: what is wrong with the App is said before a server is asked
    client = await connect(app, address=address, plugin=plugin, runtime=process_runtime(metrics))
    await add_missing(client, settings)
    await asyncio.to_thread(warm_prices)  # else the first answer would hold up every other call for 0.2 s
    worker = _worker(client, app, task_queue or app.task_queue, max_concurrent_activities, grace)
    stop = stop or asyncio.Event()

    async def healthy() -> bool:
        return not stop.is_set() and await _answers(client)

    async with needed(client.temporal), health_endpoint(health, healthy), worker:
        with few_collections():
            await _until_stopped(worker, client, stop, ready)


def _worker(client: Client, app: App, queue: str, calls: int, grace: timedelta) -> Worker:
    try:
        return Worker(
            client.temporal,
            task_queue=queue,
            workflows=app.workflows,
            max_concurrent_activities=calls,
            graceful_shutdown_timeout=grace or timedelta(milliseconds=1),  # the plugin takes none for "not set"
        )
    except RuntimeError as error:
        if not isinstance(error.__cause__, RestrictedWorkflowAccessError):
            raise
        refused = error.__cause__.qualified_name
        raise ConfigInvalid(
            f"{error}: what its module imports uses `{refused}`, which Temporal's sandbox refuses. Put tools with"
            " imports such as httpx into a module without workflows: the sandbox leaves that one alone"
        ) from error


async def _until_stopped(
    worker: Worker, client: Client, stop: asyncio.Event, ready: Callable[[Client], None] | None
) -> None:
    with _stopped_by_signals(stop):
        _log.info("serving task queue %s", worker.task_queue)
        if ready:
            ready(client)
        await stop.wait()
        _log.info("finishing the running calls; a second signal stops at once")


@contextmanager
def few_collections() -> Generator[None]:
    """Keep Python's collector from what is loaded by now, and from looking after every 700 new objects.

    Each run leaves much garbage behind, the modules of its sandbox. The collector took 6% of a worker's CPU, and half
    of that to look through libraries.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(max(2_000, before[0]))  # whoever wants even fewer has said so
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _check_models(models: ModelCatalogue) -> None:
    if OFFLINE in models.providers:
        _log.warning(OFFLINE_NOTICE)
    missing = missing_keys(models)
    for alias, variables in missing.items():
        _log.warning("nothing can answer model %r here: set %s", alias, " or ".join(variables))
    if missing and len(missing) == len(models.aliases):
        wanted = ", ".join(dict.fromkeys(variable for variables in missing.values() for variable in variables))
        raise ConfigInvalid(f"no model can be asked: set {wanted}, or LLMFLOW_MODELS=offline to try it without a model")


async def _answers(client: Client) -> bool:
    try:
        return await client.temporal.service_client.check_health(timeout=timedelta(seconds=2))
    except RPCError:
        return False


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
