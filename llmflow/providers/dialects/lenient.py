"""Fields of answers, read leniently: one of another type says nothing, and must not lose a paid answer.

Only what makes an answer one, such as `choices`, is strict. Every other field has one of these types.
"""

from collections.abc import Mapping
from typing import Annotated, TypeVar, cast

from pydantic import BeforeValidator
from pydantic_core import to_json

_Item = TypeVar("_Item")


def word(value: object) -> str | None:
    """Read an id, a name or a code. Some servers send numbers; what is neither says nothing."""
    is_word = isinstance(value, str | int) and not isinstance(value, bool) and value != ""
    return str(value) if is_word else None


def call_id(given: str | None, position: int) -> str:
    """Return the vendor's id of a call, or make one from its position, so that the result can refer to it."""
    return given or f"call_{position}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _index(value: object) -> int | None:
    said = word(value)
    return int(said) if said and said.isdecimal() else None


def _object(value: object) -> object:
    return cast(object, value) if isinstance(value, Mapping) else {}


def _objects(value: object) -> list[object]:
    each = cast(list[object], value) if isinstance(value, list | tuple) else [value]
    return [one for one in each if isinstance(one, Mapping) and one]


def _contents(value: object) -> list[object]:
    each = cast(list[object], value) if isinstance(value, list | tuple) else [value]
    return _objects([{"text": one} if isinstance(one, str) else one for one in each])


def _arguments(value: object) -> str:
    return "{}" if value in (None, "") else _piece(value)


def _piece(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else to_json(value).decode()


Word = Annotated[str | None, BeforeValidator(word)]
"""An id, a name or a code."""

Written = Annotated[str | None, BeforeValidator(_text)]
"""A text."""

Index = Annotated[int | None, BeforeValidator(_index)]
"""A position."""

Object = Annotated[_Item, BeforeValidator(_object)]
"""An object; what is none has no fields."""

Objects = Annotated[tuple[_Item, ...], BeforeValidator(_objects)]
"""Objects of a list, or one without its list; anything else in it says nothing."""

Contents = Annotated[tuple[_Item, ...], BeforeValidator(_contents)]
"""Parts of a message; a string is a part with that text."""

Arguments = Annotated[str, BeforeValidator(_arguments)]
"""JSON text. Some servers send the object or array itself, or nothing for a tool without parameters."""

ArgumentsPiece = Annotated[str, BeforeValidator(_piece)]
"""Piece of a streamed call's JSON text; of a server that streams whole objects, the whole text."""
