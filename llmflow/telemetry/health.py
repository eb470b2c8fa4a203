"""Health endpoint of a worker: too small for a web framework."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from llmflow.errors import ConfigInvalid


def split_address(address: str) -> tuple[str, int]:
    """Parse `host:port` into a pair.

    Raises:
        ConfigInvalid: the address has another form.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ConfigInvalid(f"address {address!r}: write it as host:port, such as 127.0.0.1:8080")
    return host, int(port)


@asynccontextmanager
async def health_endpoint(address: str | None, healthy: Callable[[], Awaitable[bool]]) -> AsyncGenerator[None]:
    """Answer every HTTP request at `host:port` with 200 `ok`, or 503 `unavailable` when `healthy()` is false.

    Raises:
        ConfigInvalid: the address is malformed, or taken.
    """
    if address is None:
        yield
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                await reader.readuntil(b"\r\n\r\n")
                status, text = ("200 OK", "ok\n") if await healthy() else ("503 Service Unavailable", "unavailable\n")
                head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
                writer.write(f"{head}Connection: close\r\n\r\n{text}".encode())
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # a probe that does not finish its request gets no answer, and costs the worker nothing
        finally:
            writer.close()

    host, port = split_address(address)
    try:
        server = await asyncio.start_server(answer, host, port)
    except OSError as error:
        raise ConfigInvalid(f"health endpoint at {address}: {error.strerror}; choose another address") from None
    async with server:
        yield
