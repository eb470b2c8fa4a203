"""One plugin that configures client, worker and replayer."""

from llmflow.plugin.plugin import Activities, LLMFlowPlugin

__all__ = ["Activities", "LLMFlowPlugin"]
