"""The client: start runs, watch them, get their results.

All of it is also possible with a plain Temporal client, the `temporal` CLI and the Web UI.
"""

from llmflow.client._attributes import add_attributes, known_attributes
from llmflow.client._client import Client
from llmflow.client._connect import configured_address, connect
from llmflow.client._options import StartOptions
from llmflow.client._run import Run

__all__ = [
    "Client",
    "Run",
    "StartOptions",
    "add_attributes",
    "configured_address",
    "connect",
    "known_attributes",
]
