"""A web site on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

HERE = "127.0.0.1/32"


@dataclass
class Site:
    """Answers what it was told to, byte for byte; says what it was asked."""

    port: int = 0
    pages: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    """Each with its headers, as it came."""
    forever: set[str] = field(default_factory=set)
    """Paths whose last kilobyte is sent again and again."""
    stalled: set[str] = field(default_factory=set)
    """Paths whose answer never ends."""
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client left before its answer ended."""

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def page(
        self, path: str, body: bytes | str = b"", kind: str = "text/plain", status: int = 200, **headers: str
    ) -> str:
        """Put a page there; its address."""
        body = body.encode() if isinstance(body, str) else body
        lines = [
            f"HTTP/1.1 {status} Whatever",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        lines += [f"content-type: {kind}"] if kind else []
        self.pages[path] = "\r\n".join([*lines, "connection: close", "", ""]).encode() + body
        return self.url(path)

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        return self.page(path, "moved", status=status, location=to)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = ""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(request)
            path = request.split()[1]
            page = self.pages[path]
            writer.write(page)
            while path in self.forever and not writer.is_closing():
                writer.write(page[-1000:])
                await writer.drain()
            if path in self.stalled:
                await reader.read()
            await writer.drain()
        if path in self.forever | self.stalled:
            self.hung_up.set()
        writer.close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    server = await asyncio.start_server(site.answer, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    yield site
    server.close()
    await server.wait_closed()
