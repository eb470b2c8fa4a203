"""One plugin for client, worker and replayer."""

from llmflow.plugin.plugin import LLMFlowPlugin

__all__ = ["LLMFlowPlugin"]
