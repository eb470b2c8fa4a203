"""Local Temporal server: found or downloaded, started, shared between the processes of a project, and stopped.

Beside it `reload.py`, a worker that restarts after each edit.
"""

from llmflow.dev.server import DevServer, dev_server, standing_server

__all__ = ["DevServer", "dev_server", "standing_server"]
