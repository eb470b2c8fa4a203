"""Parallel: different steps on one input (sections), or one step several times (vote)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from llmflow.errors import ErrorDetail, InputInvalid, VoteUndecided
from llmflow.flow.branches.fan_out import fan_out
from llmflow.flow.functions import name_of
from llmflow.flow.patterns.steps import In, Out, Step, take
from llmflow.flow.tools import call

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


@overload
def sections(first: Step[In, A], second: Step[In, B], /) -> Step[In, tuple[A, B]]: ...
@overload
def sections(first: Step[In, A], second: Step[In, B], third: Step[In, C], /) -> Step[In, tuple[A, B, C]]: ...
@overload
def sections(
    first: Step[In, A], second: Step[In, B], third: Step[In, C], fourth: Step[In, D], /
) -> Step[In, tuple[A, B, C, D]]: ...
@overload
def sections(*steps: Step[In, Out]) -> Step[In, tuple[Out, ...]]: ...
def sections(*steps: Step[Any, Any]) -> Step[Any, tuple[Any, ...]]:  # Any: the overloads say what each gives
    """Make a step that runs several steps on one input in parallel and returns their results in order.

    The first failure cancels the others and is raised.
    """

    async def sections(value: Any) -> tuple[Any, ...]:  # Any: as above
        async def section(step: Step[Any, Any]) -> Any:
            return await take(step, value)

        return tuple((await fan_out(steps, section)).values)

    return sections


@dataclass(frozen=True, kw_only=True)
class Voted(Generic[T_co]):
    """The result of a vote."""

    value: T_co
    """The winning answer."""
    tally: tuple[tuple[T_co, int], ...]
    """Each different answer with its count, in the order of the ballots."""


def vote(step: Step[In, Out], *, n: int = 3, agree: int | None = None) -> Step[In, Voted[Out]]:
    """Make a step that runs a step `n` times in parallel and returns the answer that enough of them agree on.

    Answers agree if they are equal, so the step should return an enum, a number or a small model, not prose. The first
    ballot that fails cancels the others, and its error is raised.

    Args:
        step: Step that asks a model, at a temperature that varies its answers.
        n: Number of ballots.
        agree: Number of equal answers needed; more than half by default.

    Raises:
        InputInvalid: `agree` is less than 1 or more than `n`.
        VoteUndecided: raised by the step: too few agree, or two answers tie.
    """
    enough = n // 2 + 1 if agree is None else agree
    if not 1 <= enough <= n:
        raise InputInvalid(f"vote(n={n}, agree={agree}): give an `agree` from 1 to {n}", ErrorDetail(field="agree"))

    async def vote(value: In) -> Voted[Out]:
        async def ballot(_: int) -> Out:
            return await call(step, value)

        ballot.__name__ = name_of(step)
        tally = _tally((await fan_out(range(n), ballot)).values)
        most = max(count for _, count in tally)
        first = [answer for answer, count in tally if count == most]
        if most < enough or len(first) > 1:
            counts = ", ".join(f"{count} say {answer!r}" for answer, count in tally)
            raise VoteUndecided(f"`{name_of(step)}` is undecided: {enough} of {n} have to agree, and {counts}")
        return Voted(value=first[0], tally=tally)

    return vote


def _tally(answers: Sequence[T]) -> tuple[tuple[T, int], ...]:
    """Count answers by equality instead of by hash: they may be models and lists, and a set has no order."""
    different: list[T] = []
    for answer in answers:
        if answer not in different:
            different.append(answer)
    return tuple((answer, answers.count(answer)) for answer in different)
