"""Evaluate: generate, judge, and improve until the answer is good enough."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Generic, Protocol, TypeVar

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.flow.functions import name_of
from llmflow.flow.patterns.steps import In, ModelStep, Out, answered, take
from llmflow.flow.scores import score
from llmflow.types.messages import Message


class Judgement(Protocol):
    """A judge's result: any model with these fields, and maybe others."""

    @property
    def score(self) -> float:
        """Higher is better; the scale is yours."""
        ...

    @property
    def feedback(self) -> str:
        """Improvements to make, passed to the next round."""
        ...


J = TypeVar("J", bound=Judgement)
Out_co = TypeVar("Out_co", covariant=True)
J_co = TypeVar("J_co", bound=Judgement, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Evaluated(Generic[Out_co, J_co]):
    """The best answer of all rounds."""

    value: Out_co
    judgement: J_co
    """Judgement of `value`."""
    passed: bool
    """True if the value is good enough; False if the rounds were used up."""
    rounds: int
    """Number of rounds."""


def evaluate(
    generate: ModelStep[In, Out],
    judge: Callable[[In, Out], Awaitable[J]],
    *,
    until: float | Callable[[J], bool],
    max_rounds: int = 3,
) -> ModelStep[In, Evaluated[Out, J]]:
    """Make a step that generates, has the answer judged, and regenerates with the feedback until it is good enough.

    The score of its result is stored by `flow.score` under the name of the judge.

    Args:
        generate: Step that passes `messages`, from the second round its answer and the feedback, to `flow.complete`.
        judge: Function of the input and the answer.
        until: A sufficient score, or a function that returns True for a sufficient judgement.
        max_rounds: Upper limit of rounds. Then the result is the best answer, the latest of equals.

    Raises:
        InputInvalid: `max_rounds` is less than 1.
    """
    if max_rounds < 1:
        raise InputInvalid(f"max_rounds={max_rounds}: give 1 or more", ErrorDetail(field="max_rounds"))

    def is_enough(judgement: J) -> bool:
        return until(judgement) if callable(until) else judgement.score >= until

    async def one_round(value: In, messages: Sequence[Message], number: int) -> Evaluated[Out, J]:
        answer = await take(generate, value, messages=messages)
        judgement = await take(judge, value, answer)
        return Evaluated(value=answer, judgement=judgement, passed=is_enough(judgement), rounds=number)

    async def evaluate(value: In, /, *, messages: Sequence[Message] = ()) -> Evaluated[Out, J]:
        best = last = await one_round(value, messages, 1)
        while not best.passed and last.rounds < max_rounds:
            told = (*messages, *answered(last.value, last.judgement.feedback))
            last = await one_round(value, told, last.rounds + 1)
            if last.passed or last.judgement.score >= best.judgement.score:
                best = last
        if isfinite(best.judgement.score):
            await score(name_of(judge), best.judgement.score)
        return replace(best, rounds=last.rounds)

    return evaluate
