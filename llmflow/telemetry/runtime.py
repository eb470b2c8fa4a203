"""Temporal's runtime in our processes: the log of its core, and its metrics."""

import logging

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from llmflow.errors import ConfigInvalid
from llmflow.telemetry.health import split_address
from llmflow.telemetry.metrics import BUCKETS

_LOGGER = "temporalio.core"


def process_runtime(metrics: str | None = None) -> Runtime:
    """Make a runtime whose core writes its warnings to Python's log, as `temporalio.core`.

    By default the core writes them to stdout, with colours, into the JSON that a command prints.

    Args:
        metrics: `host:port` of the Prometheus port for its metrics and ours. A process has room for one.

    Raises:
        ConfigInvalid: the address is malformed, or taken.
    """
    levels = TelemetryFilter(core_level="WARN", other_level="ERROR")  # as without forwarding
    logs = LoggingConfig(levels, LogForwardingConfig(logging.getLogger(_LOGGER), append_target_to_name=False))
    if metrics is None:
        return Runtime(telemetry=TelemetryConfig(logging=logs))
    split_address(metrics)
    prometheus = PrometheusConfig(
        bind_address=metrics,
        durations_as_seconds=True,
        histogram_bucket_overrides=dict(BUCKETS),
    )
    try:
        return Runtime(telemetry=TelemetryConfig(logging=logs, metrics=prometheus))
    except ValueError as error:
        raise ConfigInvalid(f"metrics at {metrics}: {error}; choose another address") from None
