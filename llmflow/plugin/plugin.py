"""One plugin that configures client, worker and replayer."""

import asyncio
import dataclasses
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from temporalio.client import Client, ClientConfig, HeaderCodecBehavior
from temporalio.converter import DataConverter
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    Interceptor,
    ReplayerConfig,
    Worker,
    WorkerConfig,
    WorkerDeploymentConfig,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from llmflow.app import App
from llmflow.converter.failures import failure_converter
from llmflow.converter.payloads import payload_converter
from llmflow.errors import LLMFlowError
from llmflow.flow.branches.batch import Batches, PinnedBatches
from llmflow.plugin.interceptor import RunInterceptor
from llmflow.sdk.contexts import ContextFreeSandbox, needs_no_context
from llmflow.telemetry.metrics import CallMetrics
from llmflow.telemetry.tracing import require_replay_safety, trace_interceptors

GRACEFUL_SHUTDOWN = timedelta(minutes=2)
"""Time for running calls to finish when a worker stops. Temporal's default is none: they would be paid twice."""
STICKY_TIMEOUT = timedelta(seconds=5)
"""How long a run waits for a dead worker before another one takes it over. Temporal's default is 10 s."""
HEARTBEAT_THROTTLE = timedelta(seconds=1)
"""How often a beat is really sent, and so how soon a cancellation reaches a call. Temporal's default is 60 s."""


@dataclass(frozen=True)
class Activities:
    """Activities, and what they need open while a worker runs them. `llmflow.worker.activities` makes it."""

    functions: Sequence[Callable[..., Any]] = ()  # Any: activities have signatures of every kind
    lifespan: Callable[[Client], AbstractAsyncContextManager[object]] = nullcontext
    """For the client of the worker."""
    interceptors: Sequence[Interceptor] = ()
    """Around each activity, the first one outermost: what was measured or traced inside has really been done."""


class LLMFlowPlugin(SimplePlugin):
    """llmflow for a Temporal client, and for every worker and replayer made with it.

    Give it once, to the client: its workers inherit it. A replayer needs its own.

    ```python
    plugin = LLMFlowPlugin(app, activities=activities(app))        # from llmflow.worker import activities
    client = await Client.connect("localhost:7233", plugins=[plugin])
    worker = Worker(client, task_queue="mine", workflows=[Mine])
    ```
    """

    def __init__(self, app: App | None = None, *, activities: Activities | None = None) -> None:
        """Configure.

        Args:
            app: Its modules of tools and data are passed through the workflow sandbox. Clients that only start and
                watch need none.
            activities: Those of `llmflow.worker.activities(app)`, for a worker. One that shall run workflows alone
                needs `llmflow.worker.pin_activities(app)` all the same, and `Worker(..., no_remote_activities=True)`.
                Clients and replayers need none.
        """
        modules = ("llmflow", "minijinja", "opentelemetry", *(app.passthrough_modules if app else ()))
        # Read here, because users make a plugin without any settings of ours.
        traces = trace_interceptors(
            os.environ, [spec.name for spec in app.tool_specs] if app else (), app and app.redact
        )
        self._traces = bool(traces)
        super().__init__(
            "llmflow",
            data_converter=_data_converter,
            interceptors=[
                *(activities.interceptors if activities else ()),
                *traces,
                CallMetrics(),
            ],
            activities=activities.functions if activities else None,
            workflow_runner=lambda runner: _runner(runner, modules),
            workflow_failure_exception_types=[LLMFlowError, ValidationError],
        )
        self._workflow_types = app.workflow_types if app else frozenset[str | None]()
        self._lifespan = (activities or Activities()).lifespan

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """See base class. If a payload codec is set, encode headers with it too."""
        config = super().configure_client(config)
        if _has_codec(config) and config.get("header_codec_behavior") == HeaderCodecBehavior.NO_CODEC:
            config["header_codec_behavior"] = HeaderCodecBehavior.CODEC
        return config

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """See base class."""
        config = super().configure_replayer(config)
        self._serve(config, Batches)
        if _has_codec(config):
            config["header_codec_behavior"] = HeaderCodecBehavior.CODEC
        return config

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """See base class. Values that the user set are kept; Temporal's defaults, which lose or pay, are not."""
        if self._traces:
            require_replay_safety()
        config = super().configure_worker(config)
        self._serve(config, _batches_for(config.get("deployment_config")))
        runner, client = config.get("workflow_runner"), config.get("client")
        if type(runner) is SandboxedWorkflowRunner and client and needs_no_context(client.data_converter):
            config["workflow_runner"] = ContextFreeSandbox(runner.restrictions, runner.runner_class)
        if not config.get("graceful_shutdown_timeout"):
            config["graceful_shutdown_timeout"] = GRACEFUL_SHUTDOWN
        if config.get("sticky_queue_schedule_to_start_timeout") in (None, timedelta(seconds=10)):
            config["sticky_queue_schedule_to_start_timeout"] = STICKY_TIMEOUT
        if config.get("max_heartbeat_throttle_interval") in (None, timedelta(seconds=60)):
            config["max_heartbeat_throttle_interval"] = HEARTBEAT_THROTTLE
        return config

    def _serve(self, config: WorkerConfig | ReplayerConfig, batches: type) -> None:
        """Add what workflows need: batches, and the run of each. Workers without any stay without."""
        if workflows := config.get("workflows"):
            config["workflows"] = [*workflows, batches]
            config["interceptors"] = [*config.get("interceptors", ()), RunInterceptor(self._workflow_types, workflows)]

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """See base class. Opens what the activities need while the worker runs; raises why it cannot."""
        async with AsyncExitStack() as needed:
            try:
                await needed.enter_async_context(self._lifespan(worker.client))
            except Exception:  # of whatever kind: `async with Worker` would wait for ever for a worker that never began
                await asyncio.gather(worker.shutdown(), next(worker))
                raise
            await next(worker)


def _data_converter(given: DataConverter | None) -> DataConverter:
    """The user's converters, with our payloads and failures before them; their codec and external storage stay."""
    base = given or DataConverter.default
    return dataclasses.replace(
        base,
        payload_converter_class=payload_converter(base.payload_converter_class),
        failure_converter_class=failure_converter(base.failure_converter_class),
    )


def _runner(runner: WorkflowRunner | None, modules: tuple[str, ...]) -> WorkflowRunner:
    if isinstance(runner, SandboxedWorkflowRunner):
        return dataclasses.replace(runner, restrictions=runner.restrictions.with_passthrough_modules(*modules))
    return runner or SandboxedWorkflowRunner()


def _batches_for(deployment: WorkerDeploymentConfig | None) -> type:
    """Where each workflow has to say how it behaves when there is a new version, that of batches does."""
    says_itself = deployment and deployment.use_worker_versioning and not deployment.default_versioning_behavior
    return PinnedBatches if says_itself else Batches


def _has_codec(config: ClientConfig | ReplayerConfig) -> bool:
    converter = config.get("data_converter")
    return converter is not None and converter.payload_codec is not None
