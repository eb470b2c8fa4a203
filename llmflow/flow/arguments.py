"""Arguments of the verbs: what no verb can use is refused before anything is scheduled."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, get_args

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.flow.functions import name_of
from llmflow.types.calls import Tool
from llmflow.types.lengths import length_problem


def invalid(field: str, message: str) -> InputInvalid:
    """What to raise for an argument of that name."""
    return InputInvalid(message, ErrorDetail(field=field))


def one_of(field: str, given: object, values: Any) -> None:  # Any: a `Literal`, which has no type of its own
    """Refuse what is none of the values of a `Literal`: a typo would mean something else, and nobody would know.

    Raises:
        InputInvalid: names the values.
    """
    known = [f"`{value}`" for value in get_args(values)]
    if given not in get_args(values):
        raise invalid(field, f"{field}={given!r}: give {', '.join(known[:-1])} or {known[-1]}")


def length(field: str, given: timedelta | None) -> None:
    """Refuse what is no length of time. It may be left out.

    Raises:
        InputInvalid: says what to give.
    """
    if given is not None and (problem := length_problem(field, given)):
        raise invalid(field, f"{problem}, or leave it out")


def no_mapping(field: str, kind: object) -> None:
    """Refuse fields that are written as a mapping where a type is meant: pydantic has its own notion of one.

    Raises:
        InputInvalid: says what to give.
    """
    if isinstance(kind, Mapping):
        raise invalid(field, f"{field}={kind!r} is no type: give a pydantic model or a dataclass with these fields")


def a_tool(field: str, given: object) -> None:
    """Refuse what is no tool.

    Raises:
        InputInvalid: says how a function becomes one.
    """
    if not isinstance(given, Tool):
        what = f"`{name_of(given)}`" if callable(given) else f"{given!r:.100}"
        raise invalid(field, f"{what} is no tool: give the function itself, with `@tool` above it")
