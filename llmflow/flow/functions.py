"""Functions by address: a child workflow gets the address and finds the function in the same code."""

import inspect
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, cast, get_type_hints

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.types.calls import Tool

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Kinds(Generic[T, R]):
    """Type adapters for a function's item and its result."""

    item: TypeAdapter[T]
    result: TypeAdapter[R]


def code_of(function: Callable[..., object]) -> Callable[..., object]:
    """Return the function inside a tool; any other function unchanged."""
    return inspect.unwrap(cast(Callable[..., object], function)) if isinstance(function, Tool) else function


def name_of(function: Callable[..., object]) -> str:
    """Return the name of a function, for people."""
    while isinstance(function, partial):
        function = cast(Callable[..., object], function.func)
    if isinstance(function, Tool):
        return function.name
    name = getattr(function, "__name__", type(function).__name__)
    return "lambda" if name == "<lambda>" else name


def address_of(function: Callable[..., object], owner: object) -> str | None:
    """Return a function's address in the code, `method` of the owner or `module:function`; `None` if it has none."""
    code = code_of(function)
    if getattr(code, "__self__", None) is owner:
        address = str(getattr(code, "__name__", None))
    else:
        address = f"{getattr(code, '__module__', None)}:{getattr(code, '__qualname__', None)}"
    return address if function_at(address, owner) == function else None


def is_method(address: str) -> bool:
    """Return True for the address of a workflow method."""
    return ":" not in address


def function_at(address: str, owner: object) -> Callable[[Any], Awaitable[Any]] | None:  # Any: the user's own types
    """Find the function at an address; `None` if there is none."""
    module, colon, name = address.rpartition(":")
    # In a workflow, `sys.modules` holds the modules of its sandbox.
    found: Any = sys.modules.get(module) if colon else owner  # Any: any attribute of the user's code
    for part in name.split("."):
        found = getattr(found, part, None)
    return cast(Callable[[Any], Awaitable[Any]], found) if callable(found) else None


def kinds_of(function: Callable[[T], Awaitable[R]]) -> Kinds[T, R]:
    """Read the types of a function's item and result from its annotations.

    Raises:
        InputInvalid: the function has no annotations, or pydantic does not support a type.
    """
    name, code = name_of(function), code_of(function)
    try:
        hints = get_type_hints(code)
        item = next(iter(inspect.signature(code).parameters))
        return Kinds(TypeAdapter(hints[item]), TypeAdapter(hints["return"]))
    except (KeyError, StopIteration, NameError):
        problem = f"annotate its item and its result at the top of the module, as in `async def {name}(x: X) -> Y`"
    except PydanticUserError as error:
        problem = str(error)
    raise InputInvalid(f"`{name}` is called in child workflows: {problem}", ErrorDetail(field="function"))
