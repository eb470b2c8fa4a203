"""Server-sent events, however they are cut into pieces."""

import json
from collections.abc import AsyncIterator, Sequence

import pytest

from llmflow.providers.openai.events import END, events

STREAM = 'event: a\ndata: {"n": 1}\n\n: a comment\n\ndata:{"n":\r\ndata: 2}\r\n\r\ndata: "ü"\n\n'.encode()


async def pieces(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(*chunks: bytes) -> list[object]:
    return [event async for event in events(pieces(chunks))]


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
async def test_pieces_of_every_size(size: int) -> None:
    cut = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert await read(*cut) == [{"n": 1}, {"n": 2}, "ü"]


async def test_nothing_is_read_after_the_end() -> None:
    assert await read(b"data: 1\n\ndata: [DONE]\n\ndata: {", b"\n\n") == [1, END]


async def test_what_broke_off_is_no_event() -> None:
    assert await read(b"data: 1\n\ndata: 2\n", b"data: 3") == [1]


@pytest.mark.parametrize("data", [b"data: {\n\n", b"data: \xff\n\n"])
async def test_no_json(data: bytes) -> None:
    with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
        await read(data)
