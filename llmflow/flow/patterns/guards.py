"""Guards: checks on what goes into a step and on what comes out of it."""

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
    """Go on with this value in place of the one that was checked."""

    value: T_co


@dataclass(frozen=True)
class Reask:
    """Take the step again, and tell it the reason. For what comes out of a step."""

    reason: str


@dataclass(frozen=True)
class Reject:
    """Stop, with `GuardRejected`."""

    reason: str


Check = Repair[T] | Reject | None
"""What a guard says of a value; `None` lets it pass."""
Guard = Callable[[T], Check[T] | Awaitable[Check[T]]]
"""A check of a value: a function, or an async one that asks a model or a tool."""
OutputGuard = Callable[[T], Check[T] | Reask | Awaitable[Check[T] | Reask]]
"""A check of what came out of a step that can be asked again."""


def gate(guard: Guard[T]) -> Step[T, T]:
    """Make a guard a step between others: it hands the value on, repaired if need be, or stops them.

    Raises:
        GuardRejected: raised by the step that this gives: the guard does not let the value pass.
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
    """The same step under the same name, with checks on its input and its output.

    Guards are asked in their order, and each sees what those before it repaired. An async one is a step of the run.

    Args:
        step: It can be asked again if it has a parameter `messages` besides its value, and hands it on to
            `flow.complete`.
        before: Check the input; nothing is paid for what they reject.
        after: Check the output, and all of them check it again when it was asked for again.
        reasks: How often the step is taken again, before what a guard wants asked again is rejected.

    Raises:
        GuardRejected: raised by the step that this gives: a guard does not let a value pass; `detail.guard` says which.
        InputInvalid: a guard is a tool; or, raised by that step, a guard says something else than `Repair`, `Reask`,
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
    """As the guards repaired it."""
    guard: str = ""
    """That objects to it."""
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
                    f"guard `{name_of(guard)}` says {said!r}: give `None` to let a value pass, or `Repair(value)`,"
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
    """A tool that is called does its work here, in the workflow."""
    for guard in guards:
        if isinstance(guard, Tool):
            raise InputInvalid(
                f"tool `{guard.name}` is no guard: write an async function that calls it, and says what to do",
                ErrorDetail(guard=guard.name),
            )
