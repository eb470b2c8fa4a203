"""Evaluate: generate, judge, and improve until it is good enough."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.flow.patterns.steps import In, ModelStep, Out, answered, take
from llmflow.types.messages import Message


class Judgement(Protocol):
    """What a judge says: any model of yours with these fields, and with others."""

    @property
    def score(self) -> float:
        """Higher is better; the scale is yours."""
        ...

    @property
    def feedback(self) -> str:
        """What to improve: the next round is told."""
        ...


J = TypeVar("J", bound=Judgement)
Out_co = TypeVar("Out_co", covariant=True)
J_co = TypeVar("J_co", bound=Judgement, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Evaluated(Generic[Out_co, J_co]):
    """The best of all rounds."""

    value: Out_co
    judgement: J_co
    """Of that value."""
    passed: bool
    """Whether it is good enough; otherwise the rounds were used up."""
    rounds: int
    """How many there were."""


def evaluate(
    generate: ModelStep[In, Out],
    judge: Callable[[In, Out], Awaitable[J]],
    *,
    until: float | Callable[[J], bool],
    max_rounds: int = 3,
) -> ModelStep[In, Evaluated[Out, J]]:
    """Generate, have it judged, and generate again with the judge's feedback, until it is good enough.

    Args:
        generate: Hands its `messages` on to `flow.complete`: from the second round on its last answer and the feedback.
        judge: Sees the input and the answer.
        until: The score that is enough, or a function of the judgement that says so.
        max_rounds: The best answer so far is the result when they are used up; of equals it is the last.

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
        return replace(best, rounds=last.rounds)

    return evaluate
