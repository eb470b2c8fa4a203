"""The client: start runs, watch them, get their results.

All of it is also possible with a plain Temporal client, the `temporal` CLI and the Web UI.
"""

from llmflow.client.client import Client
from llmflow.client.connections import connect
from llmflow.client.options import StartOptions
from llmflow.client.runs import Run

__all__ = ["Client", "Run", "StartOptions", "connect"]
