"""A SOCKS5 proxy on this machine (RFC 1928, and RFC 1929 for its login), to which every name is this machine."""

import asyncio
from typing import Self


class SocksServer:
    def __init__(self, user: str = "", password: str = "") -> None:
        self._login = (user.encode(), password.encode()) if user else None
        self.asked: list[str] = []
        """Hosts that clients wanted to reach, as they named them."""
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await self._lets_in(reader, writer):
                await self._connect(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _lets_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        _, count = await reader.readexactly(2)
        offered = await reader.readexactly(count)
        wanted = 2 if self._login else 0
        if wanted not in offered:
            writer.write(b"\x05\xff")
            return False
        writer.write(bytes((5, wanted)))
        if self._login is None:
            return True
        await reader.readexactly(1)
        given = [await reader.readexactly((await reader.readexactly(1))[0]) for _ in self._login]
        accepted = tuple(given) == self._login
        writer.write(b"\x01\x00" if accepted else b"\x01\x01")
        return accepted

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        *_, kind = await reader.readexactly(4)
        host = await reader.readexactly(4 if kind == 1 else (await reader.readexactly(1))[0])
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append(".".join(map(str, host)) if kind == 1 else host.decode())
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
    writer.close()
