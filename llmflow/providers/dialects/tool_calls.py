"""Tool calls and ids in vendors' formats, read leniently: a field of another type must not lose a paid answer."""

from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import to_json


def _text(value: object) -> object:
    if value in (None, ""):
        return "{}"
    return value if isinstance(value, str) else to_json(value).decode()


def _piece(value: object) -> object:
    return "" if value is None else value if isinstance(value, str) else to_json(value).decode()


def _word(value: object) -> object:
    if isinstance(value, bool | float) or not isinstance(value, str | int):
        return None
    return str(value)


Arguments = Annotated[str, BeforeValidator(_text)]
"""JSON text. Some servers send the object or array itself, or nothing for a tool without parameters."""

ArgumentsPiece = Annotated[str, BeforeValidator(_piece)]
"""Piece of a streamed call's JSON text; of a server that streams whole objects, the whole text."""

Word = Annotated[str | None, BeforeValidator(_word)]
"""An id or a name. Some servers send numbers; what is neither is none."""


def call_id(given: str | None, position: int) -> str:
    """Return the vendor's id of a call, or make one from its position, so that the result can refer to it."""
    return given or f"call_{position}"
