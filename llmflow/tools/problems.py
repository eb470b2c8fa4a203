"""What is wrong with the arguments or the result of a tool, in words for a model and for people."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from llmflow.errors import ErrorDetail, ToolArgumentsInvalid, ToolOutputInvalid

_SHOWN = 5
"""Problems named in one message; a model that sent a thousand bad items needs no more to see what is wrong."""


def wrong_arguments(name: str, arguments: type[BaseModel], error: ValidationError) -> ToolArgumentsInvalid:
    """The error of a call whose arguments do not fit."""
    problems = error.errors(include_url=False)
    known = [field.alias or field_name for field_name, field in arguments.model_fields.items()]
    message = f"tool {name!r}: {_listed(_argument_problem(problem, known) for problem in problems)}"
    return ToolArgumentsInvalid(message, ErrorDetail(field=_path(problems[0])))


def wrong_result(name: str, error: ValidationError) -> ToolOutputInvalid:
    """The error of a call whose result is not of the annotated type."""
    problems = error.errors(include_url=False)
    message = f"tool {name!r} returned what its annotation forbids: {_listed(map(_problem, problems))}"
    return ToolOutputInvalid(message, ErrorDetail(field=_path(problems[0]) or None))


def _listed(problems: Iterable[str]) -> str:
    shown = list(problems)
    more = f"; and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return "; ".join(shown[:_SHOWN]) + more


def _argument_problem(problem: ErrorDetails, known: list[str]) -> str:
    path = _path(problem)
    if problem["type"] == "extra_forbidden" and len(problem["loc"]) == 1:
        near = get_close_matches(path, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known are: {', '.join(known) or 'none'}"
        return f"unknown argument `{path}`; {hint}"
    return _problem(problem)


def _problem(problem: ErrorDetails) -> str:
    where = f"`{path}`: " if (path := _path(problem)) else ""
    given = "" if problem["type"] == "missing" else f" (given: {_short(problem['input'])})"
    return f"{where}{problem['msg']}{given}"


def _path(problem: ErrorDetails) -> str:
    return ".".join(map(str, problem["loc"]))


def _short(value: Any) -> str:  # Any: whatever was given
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
