"""Checks of arguments: the verbs refuse invalid ones before they schedule anything."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, get_args

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.flow.functions import name_of
from llmflow.types.calls import Tool
from llmflow.types.lengths import length_problem


def invalid(field: str, message: str) -> InputInvalid:
    """Make the error for an invalid argument."""
    return InputInvalid(message, ErrorDetail(field=field))


def one_of(field: str, given: object, values: Any) -> None:  # Any: a `Literal`, which has no type of its own
    """Refuse a value that a `Literal` does not list: a typo would silently mean something else.

    Raises:
        InputInvalid: the value is not listed; the message names the values.
    """
    known = [f"`{value}`" for value in get_args(values)]
    if given not in get_args(values):
        raise invalid(field, f"{field}={given!r}: give {', '.join(known[:-1])} or {known[-1]}")


def length(field: str, given: timedelta | None) -> None:
    """Refuse an invalid duration; `None` is valid.

    Raises:
        InputInvalid: the duration is invalid; the message says what to give.
    """
    if given is not None and (problem := length_problem(field, given)):
        raise invalid(field, f"{problem}, or leave it out")


def no_mapping(field: str, kind: object) -> None:
    """Refuse a mapping in place of a type, which pydantic would take for something else.

    Raises:
        InputInvalid: a mapping was given; the message says what to give.
    """
    if isinstance(kind, Mapping):
        raise invalid(field, f"{field}={kind!r} is no type: give a pydantic model or a dataclass with these fields")


def a_tool(field: str, given: object) -> None:
    """Refuse anything but a tool.

    Raises:
        InputInvalid: not a tool; the message says how a function becomes one.
    """
    if not isinstance(given, Tool):
        what = f"`{name_of(given)}`" if callable(given) else f"{given!r:.100}"
        raise invalid(field, f"{what} is no tool: give the function itself, with `@tool` above it")
