"""One plugin that configures client, worker and replayer."""

from llmflow.plugin.plugin import (
    GRACEFUL_SHUTDOWN,
    HEARTBEAT_THROTTLE,
    STICKY_TIMEOUT,
    Activities,
    LLMFlowPlugin,
)

__all__ = ["GRACEFUL_SHUTDOWN", "HEARTBEAT_THROTTLE", "STICKY_TIMEOUT", "Activities", "LLMFlowPlugin"]
