"""The local Temporal server: found or got, started, shared between the processes of a project, and stopped.

Beside it `reload.py`, a worker that is started anew after each edit.
"""

from llmflow.dev.server import DevServer, dev_server, standing_server

__all__ = ["DevServer", "dev_server", "standing_server"]
