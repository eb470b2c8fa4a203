"""A worker process: checks, serving, graceful shutdown."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, TypedDict, Unpack

from temporalio.common import MetricMeter
from temporalio.converter import PayloadCodec
from temporalio.service import RPCError
from temporalio.worker import Interceptor, PollerBehavior, Worker, WorkerDeploymentConfig, WorkerTuner
from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError

from llmflow.app import App
from llmflow.client import Client, connect
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.entries import OFFLINE
from llmflow.providers.offline.provider import OFFLINE_NOTICE
from llmflow.providers.pricing.prices import warm_prices
from llmflow.telemetry.health import health_endpoint
from llmflow.telemetry.logs import log_our_errors_in_one_line
from llmflow.telemetry.runtime import process_runtime
from llmflow.worker.apps import app_model_catalogue, check_prompts, check_tools, missing_keys
from llmflow.worker.calls import GRACEFUL_SHUTDOWN
from llmflow.worker.plugin import LLMFlowPlugin
from llmflow.worker.search_attributes import add_missing
from llmflow.worker.stuck import counting_stuck_runs

STICKY_TIMEOUT = timedelta(seconds=5)
"""Timeout of the sticky queue, after which another worker continues a dead worker's run. Temporal's default is 10 s."""

_log = logging.getLogger("llmflow.worker")


class WorkerOptions(TypedDict, total=False):
    """Options that `run` passes to Temporal's `Worker` unchanged."""

    interceptors: Sequence[Interceptor]
    identity: str
    deployment_config: WorkerDeploymentConfig
    max_cached_workflows: int
    max_concurrent_workflow_tasks: int
    tuner: WorkerTuner
    workflow_task_poller_behavior: PollerBehavior
    activity_task_poller_behavior: PollerBehavior
    sticky_queue_schedule_to_start_timeout: timedelta


async def run(
    app: App,
    *,
    settings: Settings | None = None,
    address: str | None = None,
    task_queues: Sequence[str] = (),
    codec: PayloadCodec | None = None,
    max_concurrent_activities: int = 100,
    grace: timedelta = GRACEFUL_SHUTDOWN,
    metrics: str | None = None,
    health: str | None = None,
    add_search_attributes: bool = False,
    ready: Callable[[Client], None] | None = None,
    stop: asyncio.Event | None = None,
    **options: Unpack[WorkerOptions],
) -> None:
    """Serve an App until SIGTERM or SIGINT; then stop polling, finish in-flight calls, and return.

    On a task queue of the App's tools, `App.tool_queues`, it runs no workflows: such a worker needs no model's key.

    Args:
        app: The App.
        settings: Settings; from the environment by default.
        address: Address of Temporal, instead of its own environment variables and profiles.
        task_queues: Task queues; the App's own by default.
        codec: Codec of payloads, instead of `LLMFLOW_CODEC` or the codec endpoint of Temporal's profile.
        max_concurrent_activities: Upper limit of concurrent model and tool calls, for each task queue.
        grace: Time for in-flight calls to finish; longer ones are made and paid again. At least the longest call.
        metrics: `host:port` for Prometheus.
        health: `host:port` for an HTTP health check: 200 while the worker serves and Temporal answers.
        add_search_attributes: Add llmflow's search attributes to the namespace first; `doctor --fix` does it once.
        ready: Called when the worker polls.
        stop: Event that stops the worker like a signal.
        **options: Options of Temporal's `Worker`.

    Raises:
        ServerUnavailable: no Temporal server answers.
        StoreUnavailable: the store does not answer.
        ConfigInvalid: models, keys, a free port, the store's tables, a model or tool of a prompt, or a tool of a
            workflow are missing; or the sandbox cannot import the module of a workflow.
        PromptInvalid: a prompt does not parse.
    """
    log_our_errors_in_one_line()
    settings, queues = settings or Settings.load(), task_queues or (app.task_queue,)
    plugin = _plugin(app, settings, queues)
    needed = plugin.lifespan  # read before connecting, so that errors of the App come first
    client = await connect(app, address=address, codec=codec, plugin=plugin, runtime=process_runtime(metrics))
    if add_search_attributes:
        await add_missing(client, settings)
    await asyncio.to_thread(warm_prices)  # else the first answer would block every other call for 0.2 s
    given: dict[str, Any] = {} if "tuner" in options else {"max_concurrent_activities": max_concurrent_activities}
    given |= {**options, "activities": plugin.calls, "graceful_shutdown_timeout": grace}
    workers = [_worker(client, app, queue, given) for queue in queues]
    stop = stop or asyncio.Event()
    healthy = partial(_is_healthy, client, stop)
    async with needed(client.temporal), health_endpoint(health, healthy), AsyncExitStack() as serving:
        for worker in workers:
            await serving.enter_async_context(worker)
        with few_collections():
            await _until_stopped(queues, client, stop, ready)


def _plugin(app: App, settings: Settings, queues: Sequence[str]) -> LLMFlowPlugin:
    models = app_model_catalogue(app, settings)
    if not set(queues).issubset(app.tool_queues):
        _check_models(models)
    check_prompts(app, models)
    check_tools(app)
    return LLMFlowPlugin(app, settings=settings, models=models)


def _worker(client: Client, app: App, queue: str, options: Mapping[str, Any]) -> Worker:
    given: dict[str, Any] = {"sticky_queue_schedule_to_start_timeout": STICKY_TIMEOUT, **options}
    try:
        return Worker(
            client.temporal,
            task_queue=queue,
            workflows=() if queue in app.tool_queues else app.workflows,
            **given,
        )
    except RuntimeError as error:
        if not isinstance(error.__cause__, RestrictedWorkflowAccessError):
            raise
        refused = error.__cause__.qualified_name
        raise ConfigInvalid(
            f"{error}: an import of its module uses `{refused}`, which Temporal's sandbox refuses. Put tools with"
            " imports such as httpx into a module without workflows, which passes through the sandbox"
        ) from error


async def _until_stopped(
    queues: Sequence[str], client: Client, stop: asyncio.Event, ready: Callable[[Client], None] | None
) -> None:
    with _stopped_by_signals(stop):
        _log.info("serving task queue %s", ", ".join(queues))
        if ready:
            ready(client)
        async with counting_stuck_runs(client.temporal, _meter(client), queues):
            await stop.wait()
        _log.info("finishing in-flight calls; a second signal stops at once")


def _meter(client: Client) -> MetricMeter:
    runtime = client.temporal.service_client.config.runtime
    return runtime.metric_meter if runtime else MetricMeter.noop


@contextmanager
def few_collections() -> Generator[None]:
    """Freeze the objects loaded so far (`gc.freeze`) and raise the collection threshold.

    Each run leaves the modules of its sandbox as garbage. The collector took 6% of a worker's CPU, half of it to
    traverse libraries.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(max(2_000, before[0]))  # a higher threshold of the user stays
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
        _log.warning("no provider of model %r has a key: set %s", alias, " or ".join(variables))
    if missing and len(missing) == len(models.aliases):
        wanted = ", ".join(dict.fromkeys(variable for variables in missing.values() for variable in variables))
        raise ConfigInvalid(f"no model has a key: set {wanted}, or LLMFLOW_MODELS=offline to try it without a model")


async def _is_healthy(client: Client, stop: asyncio.Event) -> bool:
    try:
        return not stop.is_set() and await client.temporal.service_client.check_health(timeout=timedelta(seconds=2))
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
            signal.signal(one, signal.SIG_DFL)  # Python's own SIGINT handler would still await the calls

    for one in signals:
        loop.add_signal_handler(one, received)
    try:
        yield
    finally:
        for one in signals:
            loop.remove_signal_handler(one)
