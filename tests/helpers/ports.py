"""Ports in use by others."""

import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress


@contextmanager
def taken(port: int) -> Generator[None]:
    """Take a port like a foreign program, unless another program listens there already."""
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


@contextmanager
def closed_port() -> Generator[int]:
    """A port of 127.0.0.1 that refuses every connection: it is taken, so that no server can listen there."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        yield silent.getsockname()[1]
