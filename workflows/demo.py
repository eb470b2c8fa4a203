"""Default demo of `llmflow demo`."""

from workflows.research.demo import demo

__all__ = ["demo"]
