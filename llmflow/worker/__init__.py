"""The worker: the only room that puts activities, providers and stores together."""

from llmflow.worker.plugin import LLMFlowPlugin
from llmflow.worker.serving import run

__all__ = ["LLMFlowPlugin", "run"]
