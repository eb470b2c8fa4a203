"""One plugin for client, worker and replayer."""

import dataclasses
import os
from collections.abc import Callable, Sequence

from temporalio.client import Client, ClientConfig, HeaderCodecBehavior
from temporalio.converter import DataConverter
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    ReplayerConfig,
    WorkerConfig,
    WorkerDeploymentConfig,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from llmflow.app import App, together
from llmflow.errors import ConfigInvalid
from llmflow.flow.branches.batch import Batches, PinnedBatches
from llmflow.flow.run import Host
from llmflow.flow.run.host import tell_nobody
from llmflow.plugin.converters import data_converter
from llmflow.plugin.interceptor import RunInterceptor
from llmflow.plugin.sizes import storage_threshold
from llmflow.sdk.contexts import ContextFreeSandbox, needs_no_context
from llmflow.telemetry.metrics import CallMetrics
from llmflow.telemetry.tracing import beside_another, is_traced, require_replay_safety, trace_interceptors
from llmflow.types.events import RunEvent


class LLMFlowPlugin(SimplePlugin):
    """llmflow for Temporal clients that start and watch runs, for replayers, and for workers without its activities.

    Clients whose workers serve an App need `llmflow.worker.LLMFlowPlugin` instead. Give one plugin to the client: its
    workers inherit it. A replayer needs its own: `Replayer(workflows=[Mine], plugins=[LLMFlowPlugin(app)])`.
    """

    def __init__(
        self, *apps: App, codec: str | None = None, storage: str | None = None, encode_headers: bool = True
    ) -> None:
        """Configure.

        Args:
            apps: Apps whose workflows may use llmflow from their start, and whose modules of tools and data are passed
                through the workflow sandbox. Clients that only start and watch runs need none.
            codec: `package.module:attribute` of a codec for clients and replayers without one, instead of
                `LLMFLOW_CODEC`.
            storage: URL of an external storage for clients and replayers without one, instead of `LLMFLOW_STORAGE`.
            encode_headers: Encode headers if the client has a payload codec: they carry tenants, tags and
                conversations. False keeps the client's `header_codec_behavior`, for fleets whose other workers do not
                decode headers.

        Raises:
            ConfigInvalid: two Apps have the same name, or different workflows or tools of the same name.
        """
        app = together(apps) if apps else None
        modules = ("llmflow", "minijinja", "opentelemetry", *(app.passthrough_modules if app else ()))
        # Read here, because users make a plugin without llmflow's settings.
        self._tools = frozenset(spec.name for spec in app.tool_specs) if app else frozenset[str]()
        traces = trace_interceptors(os.environ, self._tools, app and app.redact)
        self._traces = traces
        self.codec = codec or os.environ.get("LLMFLOW_CODEC") or None
        """Path of the codec for a client without one."""
        self._encode_headers = encode_headers
        self._storage = storage or os.environ.get("LLMFLOW_STORAGE") or None
        super().__init__(
            "llmflow",
            interceptors=[*traces, CallMetrics()],
            workflow_runner=lambda runner: _runner(runner, modules),
        )
        self._types = {type: app.name for app in apps for type in app.workflow_types}

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """See base class."""
        _require(_is_sole(config.get("plugins", ())))
        config = super().configure_client(config)
        self._convert(config)
        given = config.get("interceptors", ())
        config["interceptors"] = beside_another(given, self._traces, given)
        is_plain = config.get("header_codec_behavior") == HeaderCodecBehavior.NO_CODEC
        if self._encode_headers and _has_codec(config) and is_plain:
            config["header_codec_behavior"] = HeaderCodecBehavior.CODEC
        return config

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """See base class."""
        _require(Batches not in config.get("workflows", ()))
        config = super().configure_replayer(config)
        self._convert(config)
        self._serve(config, Batches, config.get("data_converter"))
        if self._encode_headers and _has_codec(config):
            config["header_codec_behavior"] = HeaderCodecBehavior.CODEC
        return config

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """See base class."""
        client = config.get("client")
        _require(_is_sole([*(client.config()["plugins"] if client else ()), *config.get("plugins", ())]))
        config = super().configure_worker(config)
        self._trace(config, client)
        self._serve(config, _batches_for(config.get("deployment_config")), client and client.data_converter)
        runner = config.get("workflow_runner")
        if type(runner) is SandboxedWorkflowRunner and client and needs_no_context(client.data_converter):
            config["workflow_runner"] = ContextFreeSandbox(runner.restrictions, runner.runner_class)
        return config

    def _convert(self, config: ClientConfig | ReplayerConfig) -> None:
        namespace = config.get("namespace", "default")
        config["data_converter"] = data_converter(config.get("data_converter"), self.codec, self._storage, namespace)

    def _trace(self, config: WorkerConfig, client: Client | None) -> None:
        """Trace the worker, unless the program does so itself."""
        of_client = client.config(active_config=True)["interceptors"] if client else ()
        own = config.get("interceptors", ())
        tracer = [*of_client, *own]
        if self._traces and not is_traced(tracer, self._traces):
            require_replay_safety()
        config["interceptors"] = beside_another(tracer, self._traces, own)

    def _serve(self, config: WorkerConfig | ReplayerConfig, batches: type, converter: DataConverter | None) -> None:
        """Add the batch workflow and the run interceptor to a worker with workflows."""
        if workflows := config.get("workflows"):
            config["workflows"] = [*workflows, batches]
            host = Host(
                apps=self._types,
                tools=self._tools,
                serves_calls=self._serves_calls(config),
                stored_from=storage_threshold(converter) if converter else None,
                tell=self._tells(config),
            )
            config["interceptors"] = [*config.get("interceptors", ()), RunInterceptor(host, workflows)]

    def _serves_calls(self, config: WorkerConfig | ReplayerConfig) -> bool:
        """True for a worker that serves llmflow's calls on its own task queue."""
        return False

    def _tells(self, config: WorkerConfig | ReplayerConfig) -> Callable[[str, RunEvent], None]:
        """Return the function that takes run events."""
        return tell_nobody


def _is_sole(plugins: Sequence[object]) -> bool:
    return sum(isinstance(plugin, LLMFlowPlugin) for plugin in plugins) <= 1


def _require(is_sole: bool) -> None:
    """Refuse a second plugin: two would register everything twice, and each would only know its own Apps."""
    if not is_sole:
        raise ConfigInvalid(
            "two LLMFlowPlugin objects: give the client one with all Apps, as in LLMFlowPlugin(app, other_app);"
            " its workers inherit it"
        )


def _runner(runner: WorkflowRunner | None, modules: tuple[str, ...]) -> WorkflowRunner:
    if isinstance(runner, SandboxedWorkflowRunner):
        return dataclasses.replace(runner, restrictions=runner.restrictions.with_passthrough_modules(*modules))
    return runner or SandboxedWorkflowRunner()


def _batches_for(deployment: WorkerDeploymentConfig | None) -> type:
    """Choose the batch workflow: pinned if the worker is versioned without a default versioning behavior."""
    says_itself = deployment and deployment.use_worker_versioning and not deployment.default_versioning_behavior
    return PinnedBatches if says_itself else Batches


def _has_codec(config: ClientConfig | ReplayerConfig) -> bool:
    converter = config.get("data_converter")
    return converter is not None and converter.payload_codec is not None
