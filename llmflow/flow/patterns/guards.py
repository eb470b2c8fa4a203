"""Guards: checks of a step's input and output."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast, overload

from llmflow.errors import ErrorDetail, GuardRejected, InputInvalid
from llmflow.flow.functions import name_of
from llmflow.flow.patterns.steps import In, ModelStep, Out, Step, answered
from llmflow.flow.steps import step as flow_step
from llmflow.flow.tools import call
from llmflow.types.calls import Tool
from llmflow.types.messages import Message

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Repair(Generic[T_co]):
    """Replace the checked value with this one."""

    value: T_co


@dataclass(frozen=True)
class Reask:
    """Run the step again with the reason; for outputs only."""

    reason: str


@dataclass(frozen=True)
class Reject:
    """Stop with `GuardRejected`."""

    reason: str


Check = Repair[T] | Reject | None
"""A guard's verdict; `None` accepts the value."""
Guard = Callable[[T], Check[T] | Awaitable[Check[T]]]
"""A check of a value: a function, or an async function that calls a model or a tool."""
OutputGuard = Callable[[T], Check[T] | Reask | Awaitable[Check[T] | Reask]]
"""A check of the output of a step that can be re-asked."""


def gate(guard: Guard[T]) -> Step[T, T]:
    """Make a step of a guard: it returns the value, repaired if needed, or stops the chain.

    Raises:
        GuardRejected: raised by the step: the guard rejects the value.
        InputInvalid: the guard is a tool.
    """
    _refuse_tools([guard])

    async def gate(value: T) -> T:
        return (await _checked([guard], value)).passed("value")

    return gate


@overload
def guarded(
    step: ModelStep[In, Out],
    *,
    before: Sequence[Guard[In]] = (),
    after: Sequence[OutputGuard[Out]] = (),
    reasks: int = 1,
) -> ModelStep[In, Out]: ...
@overload
def guarded(
    step: Step[In, Out], *, before: Sequence[Guard[In]] = (), after: Sequence[Guard[Out]] = ()
) -> Step[In, Out]: ...
def guarded(
    step: Step[In, Out],
    *,
    before: Sequence[Guard[In]] = (),
    after: Sequence[OutputGuard[Out]] = (),
    reasks: int = 1,
) -> Step[In, Out]:
    """Add checks of input and output to a step, under the same name.

    Guards run in order, each on the value as repaired by those before it. An async guard is a step of the run.

    Args:
        step: A step. It can be re-asked if it has a parameter `messages` besides its value and passes it to
            `flow.complete`.
        before: Guards of the input; a rejected input costs nothing.
        after: Guards of the output; all of them check a re-asked output again.
        reasks: Upper limit of re-asks; after it, a `Reask` is a rejection.

    Raises:
        GuardRejected: raised by the step: the guard `detail.guard` rejects a value.
        InputInvalid: a guard is a tool; or, raised by the step, a guard returns something other than `Repair`, `Reask`,
            `Reject` or `None`.
    """
    _refuse_tools([*before, *after])
    name, is_told = name_of(step), "messages" in [*inspect.signature(step).parameters][1:]

    async def ask(value: In, messages: Sequence[Message]) -> Out:
        return await (call(cast(ModelStep[In, Out], step), value, messages=messages) if is_told else call(step, value))

    async def guarded(value: In, /, *, messages: Sequence[Message] = ()) -> Out:
        value = (await _checked(before, value)).passed(f"input of `{name}`")
        checked = await _checked(after, await ask(value, messages))
        left = reasks if is_told else 0
        while left > 0 and isinstance(checked.objection, Reask):
            left -= 1
            told = (*messages, *answered(checked.value, checked.objection.reason))
            checked = await _checked(after, await ask(value, told))
        return checked.passed(f"output of `{name}`")

    guarded.__name__ = name
    return guarded


@dataclass(frozen=True)
class _Checked(Generic[T]):
    value: T
    """The value as repaired by the guards."""
    guard: str = ""
    """Name of the guard that objects."""
    objection: Reask | Reject | None = None

    def passed(self, what: str) -> T:
        if self.objection:
            raise GuardRejected(
                f"guard `{self.guard}` rejects the {what}: {self.objection.reason}", ErrorDetail(guard=self.guard)
            )
        return self.value


async def _checked(guards: Sequence[OutputGuard[T]], value: T) -> _Checked[T]:
    for guard in guards:
        match said := await _said(guard, value):
            case None:
                continue
            case Repair():
                value = said.value
            case Reask() | Reject():
                return _Checked(value, name_of(guard), said)
            case _:
                raise InputInvalid(
                    f"guard `{name_of(guard)}` returns {said!r}: return `None` to accept a value, or `Repair(value)`,"
                    " `Reask(reason)`, `Reject(reason)`",
                    ErrorDetail(guard=name_of(guard)),
                )
    return _Checked(value)


async def _said(guard: OutputGuard[T], value: T) -> Check[T] | Reask:
    said = guard(value)
    if not inspect.isawaitable(said):
        return said
    async with flow_step(name_of(guard)):
        return await said


def _refuse_tools(guards: Sequence[Callable[..., object]]) -> None:
    """Refuse tools, whose direct call would do their work in the workflow."""
    for guard in guards:
        if isinstance(guard, Tool):
            raise InputInvalid(
                f"tool `{guard.name}` is no guard: write an async function that calls it and returns a verdict",
                ErrorDetail(guard=guard.name),
            )
