"""Traces: switched on by OpenTelemetry's own environment variables, or by a program that traces itself.

One trace leads from the client that starts a run to the call of a vendor. Temporal's own interceptor passes the
context on, in headers; the spans are ours, few, and safe on replay.
"""

from collections.abc import Collection, Mapping, Sequence
from importlib import metadata
from typing import Any, TypeVar

from opentelemetry.trace import (
    NoOpTracerProvider,
    ProxyTracerProvider,
    TracerProvider,
    get_tracer_provider,
    set_tracer_provider,
)
from temporalio import client, worker

from llmflow import __version__
from llmflow.errors import ConfigInvalid
from llmflow.telemetry import genai
from llmflow.telemetry.calls import CallSpans
from llmflow.telemetry.content import Content, Redact
from llmflow.telemetry.runs import StartSpans, WorkflowSpans

Interceptors = Sequence[client.Interceptor | worker.Interceptor]
Interceptor = TypeVar("Interceptor")

SWITCH = "LLMFLOW_TRACES"
"""Environment variable: `false` switches llmflow's own traces off."""
_SEE = "see docs/telemetry.md"


def trace_interceptors(
    environ: Mapping[str, str], tools: Collection[str] = (), redact: Redact | None = None
) -> Interceptors:
    """Return what a client and its workers need to trace; nothing if traces are off.

    The first call sets OpenTelemetry's global tracer provider, if the environment asks for traces and the program has
    set none.

    Args:
        environ: OpenTelemetry's own variables, which its exporters read by themselves, too.
        tools: Names of the activities that are tools.
        redact: Redacts content before it becomes an attribute.

    Raises:
        ConfigInvalid: the environment names an exporter that is not installed.
    """
    off = _is(environ, "OTEL_SDK_DISABLED", "true") or _is(environ, SWITCH, "false")
    if off or not _provided(environ):
        return ()
    # The SDK, and half a hundred modules with it: imported only if traces are on.
    from temporalio.contrib.opentelemetry import OpenTelemetryInterceptor

    tracer = get_tracer_provider().get_tracer("llmflow", __version__, schema_url=genai.SCHEMA_URL)
    content = Content(environ, redact)
    # The order matters: a span around the start of a run must be open when the context is injected, and a worker's span
    # must begin after the context is extracted. Temporal puts interceptors of both sides before all others there.
    return (
        StartSpans(tracer),
        OpenTelemetryInterceptor(),
        WorkflowSpans(tracer, content),
        CallSpans(tracer, tools, content),
    )


def beside_another(
    tracer: Sequence[object], ours: Sequence[object], given: Sequence[Interceptor]
) -> Sequence[Interceptor]:
    """Leave out those of our interceptors that do what Temporal's own, given by the program, does.

    That one opens the spans of starts, workflows and activities, and passes the context on. Spans of calls stay.

    Args:
        tracer: All interceptors of the client and the worker.
        ours: Those of `trace_interceptors`.
        given: The interceptors to choose from.
    """
    if not is_traced(tracer, ours):
        return given
    return [one for one in given if isinstance(one, CallSpans) or not _is_among(one, ours)]


def is_traced(interceptors: Sequence[object], ours: Sequence[object]) -> bool:
    """Return True if one of Temporal's own tracing interceptors, which is not ours, is among them."""
    if not ours:
        return False  # and its module stays unimported
    from temporalio.contrib.opentelemetry import OpenTelemetryInterceptor, TracingInterceptor  # as above

    theirs = (OpenTelemetryInterceptor, TracingInterceptor)
    return any(isinstance(one, theirs) and not _is_among(one, ours) for one in interceptors)


def _is_among(one: object, several: Sequence[object]) -> bool:
    return any(one is other for other in several)  # two of Temporal's are equal


def require_replay_safety() -> None:
    """Refuse a tracer provider of the program with which a worker cannot trace.

    Raises:
        ConfigInvalid: spans of workflows would be exported again at every replay.
    """
    from temporalio.contrib.opentelemetry import ReplaySafeTracerProvider  # not at the top, as above

    provider = get_tracer_provider()
    if not isinstance(provider, ReplaySafeTracerProvider):
        raise ConfigInvalid(
            f"OpenTelemetry's tracer provider of this program is a {type(provider).__name__}, which would export the "
            "spans of a workflow again at every replay: make it with temporalio.contrib.opentelemetry."
            "create_tracer_provider(), or set none (without `opentelemetry-instrument`) and leave it to llmflow, or "
            f"turn llmflow's tracing off by {SWITCH}=false; {_SEE}"
        )


def exporters_wanted(environ: Mapping[str, str]) -> list[str]:
    """Return names of the trace exporters that the environment asks for, as their packages register them.

    `otlp` uses HTTP, unless `OTEL_EXPORTER_OTLP_PROTOCOL` is `grpc`.
    """
    endpoint = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    named = environ.get("OTEL_TRACES_EXPORTER") or ("otlp" if endpoint else "none")
    protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    otlp = "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
    names = [one.strip() for one in named.split(",")]
    return [otlp if name == "otlp" else name for name in names if name not in ("none", "")]


def _is(environ: Mapping[str, str], variable: str, value: str) -> bool:
    return environ.get(variable, "").strip().lower() == value


def _provided(environ: Mapping[str, str]) -> bool:
    """True if a tracer provider is set."""
    provider = get_tracer_provider()
    if isinstance(provider, ProxyTracerProvider):  # OpenTelemetry's own stand-in: no provider is set
        names = exporters_wanted(environ)
        if names:
            set_tracer_provider(_provider(names))
        return bool(names)
    return not isinstance(provider, NoOpTracerProvider)


def _provider(names: Sequence[str]) -> TracerProvider:
    """Make a replay-safe provider that exports in the background. All its other settings come from the environment."""
    # The SDK: only if traces are on.
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from temporalio.contrib.opentelemetry import create_tracer_provider

    exporters = [_exporter(name) for name in names]
    provider = create_tracer_provider(
        resource=Resource.create({SERVICE_NAME: "llmflow"}).merge(OTELResourceDetector().detect())
    )
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporter(name: str) -> Any:  # Any: a SpanExporter, of the SDK that is not imported here
    found = metadata.entry_points(group="opentelemetry_traces_exporter", name=name)
    if not found:
        package = f"opentelemetry-exporter-{name.replace('_', '-')}"
        install = "llmflow[otel]" if name == "otlp_proto_http" else package
        raise ConfigInvalid(
            f"the environment asks for traces by exporter {name!r}, which is not installed: pip install '{install}', "
            f"or OTEL_TRACES_EXPORTER=none for no traces; {_SEE}"
        )
    return next(iter(found)).load()()
