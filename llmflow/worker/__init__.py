"""The worker: the only room that combines activities, providers and stores."""

from llmflow.worker.plugin import LLMFlowPlugin
from llmflow.worker.serving import run

__all__ = ["LLMFlowPlugin", "run"]
