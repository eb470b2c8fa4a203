"""Metrics for Prometheus."""

from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from llmflow.errors import ConfigInvalid
from llmflow.telemetry.health import split_address


def metrics_runtime(address: str | None) -> Runtime | None:
    """A Temporal runtime that serves its metrics at `host:port`. A process has room for one.

    Raises:
        ConfigInvalid: the address is malformed, or taken.
    """
    if address is None:
        return None
    split_address(address)
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address)))
    except ValueError as error:
        raise ConfigInvalid(f"metrics at {address}: {error}; choose another address") from None
