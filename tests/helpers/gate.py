"""Proxy to a server that can be shut, so that sent bytes never arrive, or closed, so that no client connects."""

import asyncio
from contextlib import suppress
from typing import Self


class Gate:
    """Forwards bytes in both directions, from an address of its own."""

    def __init__(self, address: str) -> None:
        self._target = address.rsplit(":", 1)
        self._open = asyncio.Event()
        self._open.set()
        self._closed = False
        self._passing: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Return `host:port` for the client."""
        return "{}:{}".format(*self._server.sockets[0].getsockname()[:2])

    def shut(self) -> None:
        """Hold back all bytes that clients send from now on."""
        self._open.clear()

    async def cut(self) -> None:
        """Close all connections, drop the bytes held back, and let the next client pass."""
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)
        self._open.set()

    async def close(self) -> None:
        """Close all connections, and each new one at once."""
        self._closed = True
        await self.cut()

    def open(self) -> None:
        """Let clients pass that connect from now on."""
        self._closed = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closed:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task
        self._passing.add(task)
        host, port = self._target
        answers, server = await asyncio.open_connection(host, int(port))
        try:
            with suppress(ConnectionError, asyncio.CancelledError):
                await asyncio.gather(self._copy(reader, server, held=True), self._copy(answers, writer, held=False))
        finally:
            self._passing.discard(task)
            for end in (server, writer):
                end.transport.abort()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, held: bool) -> None:
        while data := await source.read(2**16):
            if held:
                await self._open.wait()
            target.write(data)
            await target.drain()
        raise ConnectionError("one end is closed, and so is the other")
