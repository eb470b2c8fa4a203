"""Parallel: different steps on one input (sections), or one step again and again (vote)."""

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
    """Take several steps on one input in parallel, and give what each gave, in their order.

    The first failure cancels the others and is raised.
    """

    async def sections(value: Any) -> tuple[Any, ...]:  # Any: as above
        async def section(step: Step[Any, Any]) -> Any:
            return await take(step, value)

        return tuple((await fan_out(steps, section)).values)

    return sections


@dataclass(frozen=True, kw_only=True)
class Voted(Generic[T_co]):
    """What a vote decided."""

    value: T_co
    """What most ballots say."""
    tally: tuple[tuple[T_co, int], ...]
    """Each different answer and how many gave it, in the order in which they were first given."""


def vote(step: Step[In, Out], *, n: int = 3, agree: int | None = None) -> Step[In, Voted[Out]]:
    """Take the same step `n` times in parallel, and give the answer that enough of them agree on.

    Answers agree when they are equal, so let the step give an enum, a number or a small model, and no prose. The first
    ballot that fails cancels the others, and its error is raised.

    Args:
        step: Asks a model, at a temperature that lets it differ.
        n: Ballots.
        agree: How many have to say the same; more than half if left out.

    Raises:
        InputInvalid: `agree` is less than 1 or more than `n`.
        VoteUndecided: raised by the step that this gives: too few agree, or as many agree on another answer.
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
    """By equality and not by hash: answers are models and lists, and a set would have no order."""
    different: list[T] = []
    for answer in answers:
        if answer not in different:
            different.append(answer)
    return tuple((answer, answers.count(answer)) for answer in different)
