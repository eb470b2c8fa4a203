"""What pydantic finds wrong with a value, in words."""

from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_core import ErrorDetails

SHOWN = 5
"""Problems named in one message: whoever sent a thousand bad items needs no more to see what is wrong."""


def problems_of(error: ValidationError) -> list[ErrorDetails]:
    """Each problem as data; the first one first."""
    return error.errors(include_url=False, include_context=False)


def path_of(problem: ErrorDetails) -> str:
    """The dotted path of the value that is wrong; empty for the whole."""
    return ".".join(str(part) for part in problem["loc"])


def message_of(problem: ErrorDetails) -> str:
    """What is wrong, without where."""
    return problem["msg"].removeprefix("Value error, ")


def said(problem: ErrorDetails, whole: str = "value") -> str:
    """One problem: `limit: Input should be greater than 0`; `whole` is what the value itself is called."""
    return f"{path_of(problem) or whole}: {message_of(problem)}"


def listed(problems: Iterable[str], most: int = SHOWN) -> str:
    """The first ones in a line, and how many more there are."""
    every = list(problems)
    more = f"; and {len(every) - most} more" if len(every) > most else ""
    return "; ".join(every[:most]) + more


def described(error: ValidationError, whole: str = "value") -> str:
    """All that is wrong, in a line."""
    return listed(said(problem, whole) for problem in problems_of(error))
