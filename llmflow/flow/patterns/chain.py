"""Chain: one step after the other, each on what the one before gave."""

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
    """Take steps one after the other, each on what the one before gave. A `gate` between two of them may stop it.

    More than five of different types are a chain of chains.
    """

    async def chain(value: Any) -> Any:  # Any: as above
        for step in steps:
            value = await take(step, value)
        return value

    return chain
