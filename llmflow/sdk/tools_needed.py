"""Tools that workers of a workflow need, found in its code without running it."""

from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

from llmflow.sdk.marks import definition_of
from llmflow.types.calls import Tool


def tools_needed(workflow: type) -> frozenset[str]:
    """Return the names of the tools that the workers of a workflow have to serve.

    Those are the tools that its class names, and the functions and classes of its package that it uses. Left out are
    tools with a task queue of their own, which other workers may serve, and child workflows, which may have other Apps.
    """
    package = workflow.__module__.partition(".")[0]
    found: set[str] = set()
    seen: set[int] = set()
    waiting: list[object] = [workflow]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Tool):
            tool = cast(Tool[..., Any], one)  # Any: a result of any type
            found |= set() if tool.options.task_queue else {tool.spec.name}
        elif isinstance(one, type) and (one is workflow or definition_of(one) is None):
            waiting += [
                _function(part) for base in one.__mro__ if _is_of(package, base) for part in vars(base).values()
            ]
        elif isinstance(one, FunctionType) and _is_of(package, one):
            waiting += _named(one)
    return frozenset(found)


def _is_of(package: str, one: type | FunctionType) -> bool:
    return one.__module__.partition(".")[0] == package


def _function(part: object) -> object:
    """Return the function of a static method, a class method or a property; everything else as it is."""
    return getattr(part, "__func__", None) or getattr(part, "fget", None) or part


def _named(function: FunctionType) -> Iterator[object]:
    """Yield values of the module's names that a function uses; also `module.name`."""
    codes = list(_codes(function.__code__))
    names = list(dict.fromkeys(name for code in codes for name in code.co_names))
    if "with_options" in names and any("task_queue" in one for code in codes for one in _keywords(code)):
        return  # it may send its tools to other workers
    for name in names:
        value = function.__globals__.get(name)
        yield value
        if isinstance(value, ModuleType):
            yield from (getattr(value, other, None) for other in names)


def _keywords(code: CodeType) -> Iterator[tuple[object, ...]]:
    return (cast(tuple[object, ...], constant) for constant in code.co_consts if isinstance(constant, tuple))


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
