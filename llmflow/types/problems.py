"""Readable messages for pydantic's validation errors."""

from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from llmflow.errors import ErrorDetail, InputInvalid

SHOWN = 5
"""Problems named in one message; a value with a thousand bad items needs no more to be understood."""


def problems_of(error: ValidationError) -> list[ErrorDetails]:
    """Return the problems as data, in their order."""
    return error.errors(include_url=False, include_context=False)


def path_of(problem: ErrorDetails) -> str:
    """Return the dotted path of the invalid value; empty for the whole value."""
    return ".".join(str(part) for part in problem["loc"])


def message_of(problem: ErrorDetails) -> str:
    """Return the message without the path."""
    return problem["msg"].removeprefix("Value error, ")


def said(problem: ErrorDetails, whole: str = "value") -> str:
    """Format a problem: `limit: Input should be greater than 0`; `whole` names the value itself."""
    return f"{path_of(problem) or whole}: {message_of(problem)}"


def listed(problems: Iterable[str], most: int = SHOWN) -> str:
    """Join the first problems in a line, with the number of the rest."""
    every = list(problems)
    more = f"; and {len(every) - most} more" if len(every) > most else ""
    return "; ".join(every[:most]) + more


def described(error: ValidationError, whole: str = "value") -> str:
    """Format all problems of an error in a line."""
    return listed(said(problem, whole) for problem in problems_of(error))


def misfit(error: ValidationError) -> InputInvalid:
    """Return the error for an input that does not fit its type; it names the first field that does not."""
    field = path_of(problems_of(error)[0]) or None
    return InputInvalid(f"the value does not fit {error.title}: {described(error)}", ErrorDetail(field=field))
