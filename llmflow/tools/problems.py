"""Messages about invalid arguments and results of tools, for models and for people."""

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from llmflow.errors import ErrorDetail, ToolArgumentsInvalid, ToolOutputInvalid, did_you_mean
from llmflow.types.problems import listed, message_of, path_of, problems_of, said


def wrong_arguments(name: str, arguments: type[BaseModel], error: ValidationError) -> ToolArgumentsInvalid:
    """Make the error for invalid arguments."""
    problems = problems_of(error)
    known = [field.alias or field_name for field_name, field in arguments.model_fields.items()]
    message = f"tool {name!r}: {listed(_argument_problem(problem, known) for problem in problems)}"
    return ToolArgumentsInvalid(message, ErrorDetail(field=path_of(problems[0])))


def wrong_result(name: str, error: ValidationError) -> ToolOutputInvalid:
    """Make the error for a result of another type than annotated."""
    problems = problems_of(error)
    message = f"tool {name!r} returned a value that does not fit its annotation: {listed(map(_problem, problems))}"
    return ToolOutputInvalid(message, ErrorDetail(field=path_of(problems[0]) or None))


def _argument_problem(problem: ErrorDetails, known: list[str]) -> str:
    path = path_of(problem)
    if problem["type"] == "extra_forbidden" and len(problem["loc"]) == 1:
        hint = did_you_mean(path, known) or f"; known are: {', '.join(known) or 'none'}"
        return f"unknown argument `{path}`{hint}"
    return _problem(problem)


def _problem(problem: ErrorDetails) -> str:
    given = "" if problem["type"] == "missing" else f" (given: {_short(problem['input'])})"
    return f"{said(problem) if problem['loc'] else message_of(problem)}{given}"


def _short(value: Any) -> str:  # Any: any input
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
