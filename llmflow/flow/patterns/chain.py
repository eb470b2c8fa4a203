"""Chain: steps in sequence, each with the result of the step before."""

from typing import Any, TypeVar, overload

from llmflow.flow.patterns.steps import Step, take

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")
T = TypeVar("T")


@overload
def chain(first: Step[A, B], /) -> Step[A, B]: ...
@overload
def chain(first: Step[A, B], second: Step[B, C], /) -> Step[A, C]: ...
@overload
def chain(first: Step[A, B], second: Step[B, C], third: Step[C, D], /) -> Step[A, D]: ...
@overload
def chain(first: Step[A, B], second: Step[B, C], third: Step[C, D], fourth: Step[D, E], /) -> Step[A, E]: ...
@overload
def chain(
    first: Step[A, B], second: Step[B, C], third: Step[C, D], fourth: Step[D, E], fifth: Step[E, F], /
) -> Step[A, F]: ...
@overload
def chain(*steps: Step[T, T]) -> Step[T, T]: ...
def chain(*steps: Step[Any, Any]) -> Step[Any, Any]:  # Any: the overloads say how one fits the next
    """Make a step that runs steps in sequence, each with the result of the step before. A `gate` in it may stop it.

    For more than five steps of different types, chain chains.
    """

    async def chain(value: Any) -> Any:  # Any: as above
        for step in steps:
            value = await take(step, value)
        return value

    return chain
