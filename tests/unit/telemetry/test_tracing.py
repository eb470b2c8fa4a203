"""Traces: when they are on, where they go, and their cost if they are off."""

import os
import subprocess
import sys
from importlib import metadata
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider, get_tracer_provider
from temporalio.contrib.opentelemetry import ReplaySafeTracerProvider

from llmflow.errors import ConfigInvalid
from llmflow.telemetry.flush import flush_traces
from llmflow.telemetry.tracing import exporters_wanted, require_replay_safety, trace_interceptors
from tests.helpers.tracing import program_provider, traced

VARIABLES = ("OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICE_NAME")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, []),
        ({"OTEL_SERVICE_NAME": "mine"}, []),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, ["otlp_proto_http"]),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, ["otlp_proto_http"]),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/metrics"}, []),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, ["otlp_proto_http"]),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, ["otlp_proto_grpc"]),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, ["console", "otlp_proto_http"]),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, []),
    ],
)
def test_what_the_environment_asks_for(environ: dict[str, str], names: list[str]) -> None:
    assert exporters_wanted(environ) == names


def test_nothing_is_set_and_nothing_traced_unless_somebody_asks() -> None:
    with program_provider(None):
        assert trace_interceptors(os.environ) == ()
        assert isinstance(get_tracer_provider(), ProxyTracerProvider)
        flush_traces()


def test_the_environment_sets_a_replay_safe_provider_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    with program_provider(None):
        assert trace_interceptors(os.environ)
        provider = get_tracer_provider()
        assert isinstance(provider, ReplaySafeTracerProvider)
        require_replay_safety()
        assert trace_interceptors(os.environ)
        assert get_tracer_provider() is provider
        provider.shutdown()


@pytest.mark.parametrize("name", [None, "greeter"])
def test_the_service_has_a_name(monkeypatch: pytest.MonkeyPatch, name: str | None) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    if name:
        monkeypatch.setenv("OTEL_SERVICE_NAME", name)
    with program_provider(None):
        trace_interceptors(os.environ)
        provider = get_tracer_provider()
        assert isinstance(provider, ReplaySafeTracerProvider)
        span: Any = provider.get_tracer("test").start_span("one")  # Any: its resource is the SDK's own
        assert span.resource.attributes["service.name"] == (name or "llmflow")
        provider.shutdown()


def test_a_program_that_traces_itself_is_joined() -> None:
    with traced():
        assert trace_interceptors(os.environ)
        require_replay_safety()


@pytest.mark.parametrize("value", ["true", "TRUE"])
def test_the_sdk_can_be_disabled(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", value)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    with program_provider(None):
        assert trace_interceptors(os.environ) == ()
    with traced():
        assert trace_interceptors(os.environ) == ()


def test_a_provider_that_does_nothing_is_no_tracing() -> None:
    with program_provider(NoOpTracerProvider()):
        assert trace_interceptors(os.environ) == ()


@pytest.mark.parametrize(
    ("variable", "value", "install"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin", "pip install 'opentelemetry-exporter-zipkin'"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", r"pip install 'llmflow\[otel\]'"),
    ],
)
def test_an_exporter_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, install: str
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(metadata, "entry_points", lambda **_: ())
    with program_provider(None):
        with pytest.raises(ConfigInvalid, match=install):
            trace_interceptors(os.environ)
        assert isinstance(get_tracer_provider(), ProxyTracerProvider)


def test_a_provider_that_is_not_replay_safe() -> None:
    plain = TracerProvider(shutdown_on_exit=False)
    with program_provider(plain), pytest.raises(ConfigInvalid, match=r"create_tracer_provider\(\)"):
        require_replay_safety()


def test_without_traces_the_sdk_is_not_even_imported() -> None:
    code = "import sys, llmflow.worker; from llmflow.plugin import LLMFlowPlugin; LLMFlowPlugin(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "llmflow.telemetry.tracing" in loaded
    assert not [name for name in loaded if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))]
