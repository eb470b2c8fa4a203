"""Tool calls as vendors write them: a paid answer is not lost because a server leaves out what the API promises."""

from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import to_json


def _text(value: object) -> object:
    if value in (None, ""):
        return "{}"
    return to_json(value).decode() if isinstance(value, dict) else value


Arguments = Annotated[str, BeforeValidator(_text)]
"""JSON text. Some servers write the object itself, or nothing for a tool that takes nothing."""


def call_id(given: str | None, position: int) -> str:
    """The vendor's id of a call, or one by its place in the answer, so that the result can name it."""
    return given or f"call_{position}"
