"""Tool calls in vendors' formats, read leniently: a missing field must not lose a paid answer."""

from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import to_json


def _text(value: object) -> object:
    if value in (None, ""):
        return "{}"
    return to_json(value).decode() if isinstance(value, dict) else value


Arguments = Annotated[str, BeforeValidator(_text)]
"""JSON text. Some servers send the object itself, or nothing for a tool without parameters."""


def call_id(given: str | None, position: int) -> str:
    """Return the vendor's id of a call, or make one from its position, so that the result can refer to it."""
    return given or f"call_{position}"
