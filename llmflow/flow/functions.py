"""Functions by name: a child workflow gets the name, and finds the same function in the same code."""

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
    """How to read an item of a function, and what the function returned."""

    item: TypeAdapter[T]
    result: TypeAdapter[R]


def code_of(function: Callable[..., object]) -> Callable[..., object]:
    """What a tool is made of; anything else as it is."""
    return inspect.unwrap(cast(Callable[..., object], function)) if isinstance(function, Tool) else function


def name_of(function: Callable[..., object]) -> str:
    """What people call it."""
    while isinstance(function, partial):
        function = cast(Callable[..., object], function.func)
    if isinstance(function, Tool):
        return function.name
    name = getattr(function, "__name__", type(function).__name__)
    return "lambda" if name == "<lambda>" else name


def address_of(function: Callable[..., object], owner: object) -> str | None:
    """Where the same code finds it again: `method` of the owner, or `module:function`. `None` for any other."""
    code = code_of(function)
    if getattr(code, "__self__", None) is owner:
        address = str(getattr(code, "__name__", None))
    else:
        address = f"{getattr(code, '__module__', None)}:{getattr(code, '__qualname__', None)}"
    return address if function_at(address, owner) == function else None


def is_method(address: str) -> bool:
    """True if it is a method of the workflow."""
    return ":" not in address


def function_at(address: str, owner: object) -> Callable[[Any], Awaitable[Any]] | None:  # Any: the user's own types
    """The function of an address; `None` if there is none."""
    module, colon, name = address.rpartition(":")
    # In a workflow these are the modules of its sandbox, which are those of its code.
    found: Any = sys.modules.get(module) if colon else owner  # Any: whatever the user's code has there
    for part in name.split("."):
        found = getattr(found, part, None)
    return cast(Callable[[Any], Awaitable[Any]], found) if callable(found) else None


def kinds_of(function: Callable[[T], Awaitable[R]]) -> Kinds[T, R]:
    """Of its item and its result, as it is annotated.

    Raises:
        InputInvalid: it is not annotated, or pydantic does not know the type.
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
