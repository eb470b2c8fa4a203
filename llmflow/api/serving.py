"""Serving of an ASGI application until Ctrl-C or SIGTERM."""

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from llmflow.api.extra import needs_extra
from llmflow.errors import ConfigInvalid

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_STOP_WITHIN = 2
"""Seconds for requests in flight when it stops."""


async def serve(app: "ASGIApp", host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve an application over HTTP until a signal stops it.

    Args:
        app: The application.
        host: Address to listen at.
        port: Port to listen at.
        ready: Called when it accepts connections.

    Raises:
        ConfigInvalid: the extra `api` is not installed, or the address is taken.
    """
    try:
        import uvicorn
    except ImportError:
        raise needs_extra() from None
    config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=_STOP_WITHIN)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host.strip("[]"), port), family=family)
    except OSError as error:
        raise ConfigInvalid(f"{host}:{port}: {os.strerror(error.errno or 0)}; choose another address") from None
    with listening:
        ready()
        await uvicorn.Server(config).serve(sockets=[listening])
