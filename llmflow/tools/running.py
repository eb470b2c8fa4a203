"""One run of a tool: arguments checked before, the result checked after."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails, to_json

from llmflow.errors import ErrorDetail, ToolArgumentsInvalid, ToolOutputInvalid
from llmflow.types.tools import Tool

R = TypeVar("R")

_SHOWN = 5
"""Problems named in one message; a model that sent a thousand bad items needs no more to see what is wrong."""


async def run_tool(tool: Tool[..., R], arguments: Mapping[str, JsonValue]) -> R:
    """Run a tool on a JSON object of arguments; the function gets real values, nested models included.

    Raises:
        ToolArgumentsInvalid: an argument is missing, unknown or of the wrong type; `detail.field` names the first.
        ToolOutputInvalid: the function returned what its own annotation forbids.
        Exception: whatever the function raises.
    """
    try:
        # As JSON, because strict types accept from JSON what they refuse from Python, such as a date as text.
        given = tool.arguments.model_validate_json(to_json(arguments))
    except ValidationError as error:
        problems = error.errors(include_url=False)
        known = [field.alias or name for name, field in tool.arguments.model_fields.items()]
        message = f"tool {tool.name!r}: {_listed(_argument_problem(problem, known) for problem in problems)}"
        raise ToolArgumentsInvalid(message, ErrorDetail(field=_path(problems[0]))) from None
    fields = type(given).model_fields.items()
    result = await tool(**{field.alias or name: getattr(given, name) for name, field in fields})
    try:
        return tool.output.validate_python(result)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        message = f"tool {tool.name!r} returned what its annotation forbids: {_listed(map(_problem, problems))}"
        raise ToolOutputInvalid(message, ErrorDetail(field=_path(problems[0]) or None)) from None


def _listed(problems: Iterator[str]) -> str:
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
