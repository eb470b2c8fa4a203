"""Bodies of answers, read up to a limit: a vendor, or whoever answers in its place, decides what they expand to."""

import zlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import ClientResponse

MAX_ANSWER = 16 * 2**20
"""Bytes of an answer after decompression. Parsed, they may take ten times the memory."""
MAX_STREAM = 64 * 2**20
"""Bytes of all events of a stream: each token has some 300 bytes of its own."""
MAX_COMPLAINT = 2**16
"""Bytes that are read of a failure."""

_PIECE = 2**16


async def pieces(response: "ClientResponse", most: int) -> AsyncGenerator[bytes]:
    """Yield the body, decompressed, up to its end or that of its compressed stream.

    Manually, because the HTTP library decompresses each chunk without limit, to a thousand times its size.

    Raises:
        OverflowError: it is longer than `most`.
        zlib.error: it is not compressed as it claims.
    """
    packed = response.headers.get("content-encoding", "").lower() in {"gzip", "x-gzip", "deflate"}
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32) if packed else None  # either of the two, by its header
    size = 0
    async for chunk in response.content.iter_any():
        while chunk and not (unpacker and unpacker.eof):
            piece = unpacker.decompress(chunk, _PIECE) if unpacker else chunk
            chunk = unpacker.unconsumed_tail if unpacker else b""
            size += len(piece)
            if size > most:
                raise OverflowError(f"it is longer than {most:,} bytes")
            yield piece
        if unpacker and unpacker.eof:
            return


async def whole(response: "ClientResponse", most: int = MAX_ANSWER) -> bytes:
    """Read the whole body.

    Raises:
        OverflowError, zlib.error: see `pieces`.
    """
    return b"".join([piece async for piece in pieces(response, most)])


async def beginning(response: "ClientResponse", most: int = MAX_COMPLAINT) -> bytes:
    """Read the body, or its beginning if it is longer or not compressed as it claims."""
    body = bytearray()
    try:
        async for piece in pieces(response, most):
            body += piece
    except (OverflowError, zlib.error):
        pass
    return bytes(body)
