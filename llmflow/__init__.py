"""llmflow: durable LLM applications on Temporal.

The doors: `llmflow.flow` (workflow code), `llmflow.client`, `llmflow.worker`, `llmflow.tools`,
`llmflow.testing`. This module imports nothing, because every workflow import runs it first.
"""

__version__ = "0.1.0"
