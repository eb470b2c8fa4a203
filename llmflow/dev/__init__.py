"""The local Temporal server: found or got, started, shared between the processes of a project, and stopped."""

from llmflow.dev.server import DevServer, dev_server, standing_server

__all__ = ["DevServer", "dev_server", "standing_server"]
