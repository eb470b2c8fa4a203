"""The client: starts runs, reads their status, and returns their results.

A plain Temporal client, the `temporal` CLI and the Web UI can do all of this too.
"""

from llmflow.client.client import Client
from llmflow.client.connections import connect
from llmflow.client.options import StartOptions
from llmflow.client.runs import Run

__all__ = ["Client", "Run", "StartOptions", "connect"]
