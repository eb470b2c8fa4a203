"""Reads server-sent events, each with one JSON value."""

import json
from collections.abc import AsyncGenerator, AsyncIterable

END = "[DONE]"
"""Data of the final event of some servers; yielded as this very object, the last one."""


async def events(chunks: AsyncIterable[bytes]) -> AsyncGenerator[object]:
    """Yield the data of each event, up to the end of the stream or to `END`, which is yielded as well.

    Raises:
        JSONDecodeError, UnicodeDecodeError: an event is not JSON.
    """
    data: list[str] = []
    async for line in _lines(chunks):
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            text = "\n".join(data)
            if text.startswith(END):
                yield END
                return
            yield _value(text)
            data.clear()


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 5,000 brackets
        raise json.JSONDecodeError(str(error), "", 0) from None


async def _lines(chunks: AsyncIterable[bytes]) -> AsyncGenerator[str]:
    """Yield complete lines of any length; text after the last line end is dropped: the stream broke off."""
    begun: list[bytes] = []
    async for chunk in chunks:
        first, *others = chunk.split(b"\n")
        begun.append(first)
        for rest in others:
            yield b"".join(begun).removesuffix(b"\r").decode()
            begun = [rest]
