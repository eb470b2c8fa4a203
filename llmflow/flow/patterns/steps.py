"""What all patterns share: what a step is, and how it is taken."""

from collections.abc import Awaitable, Callable, Sequence
from typing import ParamSpec, Protocol, TypeVar

from pydantic_core import to_json

from llmflow.flow.functions import name_of
from llmflow.flow.steps import step
from llmflow.flow.tools import call
from llmflow.types.messages import Message

P = ParamSpec("P")
In = TypeVar("In")
Out = TypeVar("Out")
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)

Step = Callable[[In], Awaitable[Out]]
"""An async function or method of workflow code, a tool, or a pattern: whatever takes one value and gives another."""


class ModelStep(Protocol[In_contra, Out_co]):
    """A step that asks a model, and that can be asked again.

    It hands `messages` on to `flow.complete`: empty the first time, then its own answer and what is wrong with it.
    """

    def __call__(self, value: In_contra, /, *, messages: Sequence[Message] = ()) -> Awaitable[Out_co]:
        """Take the step."""
        ...


async def take(taken: Callable[P, Awaitable[Out]], *args: P.args, **kwargs: P.kwargs) -> Out:
    """Take a step of a pattern: as a step of the run, under its name."""
    async with step(name_of(taken)):
        return await call(taken, *args, **kwargs)


def answered(answer: object, reason: str) -> tuple[Message, ...]:
    """What a model is told when it is asked again: its own answer, and what is wrong with it."""
    text = answer if isinstance(answer, str) else to_json(answer, fallback=str).decode()
    said = (Message.assistant(text),) if text else ()  # vendors refuse a message without text
    return (*said, Message.user(reason))
