"""What `llmflow demo` shows without a name."""

from workflows.research.demo import demo

__all__ = ["demo"]
