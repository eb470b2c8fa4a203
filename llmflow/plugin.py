"""One plugin that configures client, worker and replayer."""

import asyncio
import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from pydantic import ValidationError
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import ClientConfig, HeaderCodecBehavior
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverter,
    DefaultPayloadConverter,
    StorageDriverStoreContext,
    WithSerializationContext,
)
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    Interceptor,
    ReplayerConfig,
    StartChildWorkflowInput,
    Worker,
    WorkerConfig,
    WorkflowInboundInterceptor,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

from llmflow.app import App
from llmflow.converter.failures import LLMFlowFailureConverter
from llmflow.converter.payloads import LLMFlowPayloadConverter
from llmflow.errors import ConfigInvalid, InputInvalid, LLMFlowError
from llmflow.flow._run import Run
from llmflow.telemetry.metrics import CallMetrics
from llmflow.telemetry.tracing import require_replay_safety, trace_interceptors
from llmflow.types.carried import HEADER

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
    lifespan: Callable[[], AbstractAsyncContextManager[None]] = nullcontext


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
            app: Its modules are passed through the workflow sandbox. Clients that only start and watch need none.
            activities: Those of `llmflow.worker.activities(app)`, for a worker. One that shall run workflows alone
                needs `llmflow.worker.pin_activities(app)` all the same, and `Worker(..., no_remote_activities=True)`.
                Clients and replayers need none.
        """
        modules = ("llmflow", "minijinja", "opentelemetry", *(app.passthrough_modules if app else ()))
        traces = trace_interceptors([tool.name for tool in app.tools], app.redact) if app else trace_interceptors()
        self._traces = bool(traces)
        super().__init__(
            "llmflow",
            data_converter=_data_converter,
            interceptors=[*traces, CallMetrics(), _RunInterceptor()],
            activities=activities.functions if activities else None,
            workflow_runner=lambda runner: _runner(runner, modules),
            workflow_failure_exception_types=[LLMFlowError, ValidationError],
        )
        self._lifespan = activities.lifespan if activities else nullcontext

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """See base class. Who encrypts what is said of a run, wants what is handed on to be encrypted, too."""
        config = super().configure_client(config)
        if _has_codec(config) and config.get("header_codec_behavior") == HeaderCodecBehavior.NO_CODEC:
            config["header_codec_behavior"] = HeaderCodecBehavior.CODEC
        return config

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """See base class."""
        config = super().configure_replayer(config)
        if _has_codec(config):
            config["header_codec_behavior"] = HeaderCodecBehavior.CODEC
        return config

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """See base class. Values that the user set are kept; Temporal's defaults, which lose or pay, are not."""
        if self._traces:
            require_replay_safety()
        config = super().configure_worker(config)
        runner, client = config.get("workflow_runner"), config.get("client")
        if type(runner) is SandboxedWorkflowRunner and client and _needs_no_context(client.data_converter):
            config["workflow_runner"] = _ContextFreeSandbox(runner.restrictions, runner.runner_class)
        if not config.get("graceful_shutdown_timeout"):
            config["graceful_shutdown_timeout"] = GRACEFUL_SHUTDOWN
        if config.get("sticky_queue_schedule_to_start_timeout") in (None, timedelta(seconds=10)):
            config["sticky_queue_schedule_to_start_timeout"] = STICKY_TIMEOUT
        if config.get("max_heartbeat_throttle_interval") in (None, timedelta(seconds=60)):
            config["max_heartbeat_throttle_interval"] = HEARTBEAT_THROTTLE
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """See base class. What the activities need is open while the worker runs; why it cannot be, is raised."""
        async with AsyncExitStack() as needed:
            try:
                await needed.enter_async_context(self._lifespan())
            except Exception:  # of whatever kind: `async with Worker` would wait for ever for a worker that never began
                await asyncio.gather(worker.shutdown(), next(worker))
                raise
            await next(worker)


class _RunInterceptor(Interceptor):
    """Gives every workflow its `Run`, with no code of the user's."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """See base class."""
        return _InstallRun


class _InstallRun(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """In `init`, because a query or an update may come before the first line of the workflow runs."""
        self._run = Run()
        self._run.install()
        super().init(_HandOn(outbound, self._run))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # Any: the workflow's own result
        """Fail a run that was started with what does not fit. Temporal would try its task for ever."""
        self._run.take_over()
        try:
            inspect.signature(input.run_fn).bind(None, *input.args)
        except TypeError as error:
            raise InputInvalid(f"workflow {workflow.info().workflow_type}: {error}") from None
        try:
            result = await super().execute_workflow(input)
        except (Exception, asyncio.CancelledError):  # not what Temporal throws into a run that leaves its memory
            self._run.publish()
            raise
        self._run.publish()
        return result


class _HandOn(WorkflowOutboundInterceptor):
    """Children and continued runs take over what their run knows, with no code of the user's."""

    def __init__(self, next: WorkflowOutboundInterceptor, run: Run) -> None:
        super().__init__(next)
        self._run = run

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        """See base class. Any: the child's own types."""
        input.headers = self._with_ours(input.headers, continued=False)
        payloads = workflow.payload_converter().to_payloads(input.args)
        await self._run.admit_child(sum(one.ByteSize() for one in (*payloads, *input.headers.values())))
        return await super().start_child_workflow(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        """See base class."""
        input.headers = self._with_ours(input.headers, continued=True)
        self._run.publish()
        super().continue_as_new(input)

    def _with_ours(self, headers: Mapping[str, Payload], *, continued: bool) -> dict[str, Payload]:
        carried = self._run.handed_on(continued=continued)
        return {**headers, HEADER: workflow.payload_converter().to_payload(carried)}


def _data_converter(given: DataConverter | None) -> DataConverter:
    """The user's converter with our payloads and failures in it; their codec and external storage stay."""
    base = given or DataConverter.default
    if base.payload_converter_class not in (DefaultPayloadConverter, PydanticPayloadConverter, LLMFlowPayloadConverter):
        raise ConfigInvalid(
            f"{base.payload_converter_class.__name__}: llmflow needs its own payload converter; remove it"
        )
    if base.failure_converter_class not in (DefaultFailureConverter, LLMFlowFailureConverter):
        raise ConfigInvalid(
            f"{base.failure_converter_class.__name__}: llmflow needs its own failure converter; remove it"
        )
    return dataclasses.replace(
        base,
        payload_converter_class=LLMFlowPayloadConverter,
        failure_converter_class=LLMFlowFailureConverter,
    )


def _runner(runner: WorkflowRunner | None, modules: tuple[str, ...]) -> WorkflowRunner:
    if isinstance(runner, SandboxedWorkflowRunner):
        return dataclasses.replace(runner, restrictions=runner.restrictions.with_passthrough_modules(*modules))
    return runner or SandboxedWorkflowRunner()


def _has_codec(config: ClientConfig | ReplayerConfig) -> bool:
    converter = config.get("data_converter")
    return converter is not None and converter.payload_codec is not None


def _needs_no_context(converter: DataConverter) -> bool:
    codec = converter.payload_codec
    return converter.external_storage is None and not isinstance(codec, WithSerializationContext)


class _ContextFreeSandbox(SandboxedWorkflowRunner):
    """Temporal's sandbox without the question that it answers for every payload, three to four times each.

    Which activity or child a payload belongs to matters to codecs and storages that ask for it. The sandbox finds out
    by running code inside, which costs a tenth of a worker's CPU where nobody wants to know.
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """See base class."""
        return _ContextFreeInstance(super().create_instance(det))


class _ContextFreeInstance(WorkflowInstance):
    def __init__(self, inside: WorkflowInstance) -> None:
        self._inside = inside

    def activate(self, act: Any) -> Any:  # Any: messages of the SDK's own bridge, handed through
        """See base class."""
        return self._inside.activate(act)

    def get_info(self) -> Info:
        """See base class."""
        return self._inside.get_info()

    def get_thread_id(self) -> int | None:
        """See base class."""
        return self._inside.get_thread_id()

    def get_serialization_context(self, command_info: object) -> None:
        """See base class."""

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        """See base class."""
        return StorageDriverStoreContext(target=None)
