"""What is wrong with the arguments or the result of a tool, in words for a model and for people."""

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from llmflow.errors import ErrorDetail, ToolArgumentsInvalid, ToolOutputInvalid, did_you_mean
from llmflow.types.problems import listed, message_of, path_of, problems_of, said


def wrong_arguments(name: str, arguments: type[BaseModel], error: ValidationError) -> ToolArgumentsInvalid:
    """The error of a call whose arguments do not fit."""
    problems = problems_of(error)
    known = [field.alias or field_name for field_name, field in arguments.model_fields.items()]
    message = f"tool {name!r}: {listed(_argument_problem(problem, known) for problem in problems)}"
    return ToolArgumentsInvalid(message, ErrorDetail(field=path_of(problems[0])))


def wrong_result(name: str, error: ValidationError) -> ToolOutputInvalid:
    """The error of a call whose result is not of the annotated type."""
    problems = problems_of(error)
    message = f"tool {name!r} returned what its annotation forbids: {listed(map(_problem, problems))}"
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


def _short(value: Any) -> str:  # Any: whatever was given
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
