"""Steps of patterns: their types, and how patterns run and re-ask them."""

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
"""An async function from one value to another: a function or method of workflow code, a tool, or a pattern."""


class ModelStep(Protocol[In_contra, Out_co]):
    """A step that asks a model and can be re-asked.

    It passes `messages` to `flow.complete`: none at first, then its own answer and the objection to it.
    """

    def __call__(self, value: In_contra, /, *, messages: Sequence[Message] = ()) -> Awaitable[Out_co]:
        """Run the step."""
        ...


async def take(taken: Callable[P, Awaitable[Out]], *args: P.args, **kwargs: P.kwargs) -> Out:
    """Run a step of a pattern in a step of the run with its name."""
    async with step(name_of(taken)):
        return await call(taken, *args, **kwargs)


def answered(answer: object, reason: str) -> tuple[Message, ...]:
    """Make the messages of a re-ask: the model's own answer, and the objection to it."""
    text = answer if isinstance(answer, str) else to_json(answer, fallback=str).decode()
    said = (Message.assistant(text),) if text else ()  # vendors refuse a message without text
    return (*said, Message.user(reason))
