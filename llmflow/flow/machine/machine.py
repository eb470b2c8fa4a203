"""State machines: an enum of states, and a method for each state that returns the next one.

class Review(machine.Machine[Draft]):
    start = State.WRITE
    ends = (State.DONE,)

    @machine.step(State.WRITE)
    async def write(self, draft: Draft) -> Literal[State.CHECK]: ...

    @machine.step(State.CHECK, timeout=timedelta(days=3), on_timeout=State.DONE)
    async def check(self, draft: Draft) -> Literal[State.WRITE, State.DONE]: ...
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar, cast

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python
from temporalio import workflow
from temporalio.exceptions import ActivityError, ChildWorkflowError, is_cancelled_exception

from llmflow.errors import ErrorDetail, InputInvalid, LLMFlowError, MachineInvalid, StateTimedOut, TooManyVisits
from llmflow.flow.branches.branches import one_error, stop
from llmflow.flow.checkpoints import continue_as_new, is_due
from llmflow.flow.failures import described, may_pass
from llmflow.flow.machine.handlers import MARK, Handler, Spec
from llmflow.flow.machine.table import Table, name_of, read
from llmflow.flow.misfits import block
from llmflow.flow.pauses import pause
from llmflow.flow.run import CurrentRun, current, path
from llmflow.flow.steps import step as open_step
from llmflow.types.lengths import length_of
from llmflow.types.machines import MachineDescription, Position
from llmflow.types.problems import described as misfits

C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., Awaitable[Enum | tuple[Enum, Any] | None]])  # Any: values of any type
Passed = tuple[()] | tuple[Any]  # Any: as above
"""Value that a state passes to the next one, if any."""
Visited = tuple[Enum, Passed, C]
NONE: Passed = ()

LONGEST_PAUSE = 60.0
"""Longest pause between attempts of a state, in seconds. Pauses begin at one second and double."""


def step(
    state: Enum,
    *,
    timeout: timedelta | None = None,
    on_timeout: Enum | None = None,
    retries: int = 0,
    max_visits: int = 100,
) -> Callable[[F], F]:
    """Make a method the handler of a state. Its return annotation lists the next states; that of an end is `None`.

    Args:
        state: The state that the method handles.
        timeout: Time limit of one visit, retries included. After it, the handler is cancelled.
        on_timeout: Next state after the timeout; without one the machine fails with `StateTimedOut`.
        retries: Retries of the method after a failed call that a retry may help. A retry repeats the whole method with
            new idempotency keys, so rather give tools with side effects more attempts of their own.
        max_visits: Upper limit of visits to the state in one run of the machine.
    """
    spec = Spec(state=state, timeout=timeout, on_timeout=on_timeout, retries=retries, max_visits=max_visits)

    def mark(method: F) -> F:
        setattr(method, MARK, spec)
        return method

    return mark


@dataclass(frozen=True)
class Finished(Generic[C]):
    """The result of a machine."""

    state: Enum
    """The end that it reached."""
    context: C


class Machine(Generic[C]):
    """A machine over a context of type `C`: a pydantic model or a dataclass. `await Onboarding().run(context)`.

    A method gets a copy of the context and may change it; the changes count once it returns a state. So failed attempts
    and visits that time out change nothing. Every visit is a step of the run.

    Pass constants that all states share to `__init__`: `Onboarding(rules).run(context)`. A method may pass a value to
    the next one: `-> tuple[Literal[State.CHECK], Draft]` returns `State.CHECK, draft`, and the method of CHECK takes
    it as its second argument.

    Defining an invalid class raises `MachineInvalid`.
    """

    start: ClassVar[Enum]
    """The first state."""
    ends: ClassVar[tuple[Enum, ...]]
    """The final states. The method of an end, if there is one, runs when the machine reaches it, and returns `None`."""
    description: ClassVar[MachineDescription]
    """States and transitions as data, for `llmflow graph` and other drawings."""
    _table: ClassVar[Table]

    def __init_subclass__(cls, **options: Any) -> None:  # Any: of other base classes
        """Check the class.

        Raises:
            MachineInvalid: states are unknown, unreachable, without a method, without a path to an end, or handled
                twice; or `start` or `ends` is missing. The message names all problems.
        """
        super().__init_subclass__(**options)
        cls._table, cls.description = read(cls)

    async def run(self, context: C) -> Finished[C]:
        """Run from the start to an end.

        When the run's history gets long, the run continues as new between two states: the workflow starts with the same
        input, finished machines return their results at once, and this machine resumes at its position. A run that did
        other work before or beside the machine does not continue as new, because that work would be repeated: do it in
        states. State that signal and update handlers set on the workflow object is not carried over.

        Args:
            context: Initial context. A continue-as-new run restores the carried one instead.

        Raises:
            StateTimedOut: a state timed out and has no `on_timeout`.
            TooManyVisits: a state exceeded its `max_visits`; the message shows the loop.
            MachineInvalid: a method returned a state that its annotation does not list.
            InputInvalid: the context is not a pydantic model or a dataclass, or cannot be written as JSON.
        """
        run = current()
        adapter, machines = _adapter(context), run.machines
        name, can_continue = machines.named(path.get(), type(self).__name__), machines.begin(path.get(), _events())
        state, visits, value = self.start, dict[str, int](), NONE
        if can_continue and (other := machines.instead_of(name)):
            await block(name, other)
        if can_continue and (position := machines.restored(name)):
            state, context, value = await self._resumed(name, position, adapter)
            visits = dict(position.visits)
        else:
            machines.move(name, None, name_of(state), workflow.now())
        with machines.running():
            while state not in self.ends:
                handler = self._table[state]
                _count(visits, handler, machines.way(name))
                target, value, context = await self._visit(handler, context, value)
                machines.move(name, name_of(state), name_of(target), workflow.now())
                run.show()
                state = target
                if state in self.ends and state in self._table:
                    _, _, context = await self._visit(self._table[state], context, value)
                if can_continue:
                    machines.keep(name, _position(state, context, adapter, visits, value))
                    await _continue_if_due(run, is_over=state in self.ends)
        if can_continue:
            machines.end(_events())
        return Finished(state, context)

    async def _resumed(self, name: str, position: Position, adapter: TypeAdapter[C]) -> tuple[Enum, C, Passed]:
        """Restore the state, the context and the value that the earlier run passed to the state."""
        state = next((one for one in type(self.start) if name_of(one) == position.state), None)
        if state is None:
            await block(name, f"it is in state {position.state!r}, which {type(self.start).__name__} no longer has")
        try:
            context = adapter.validate_json(to_json(position.context))
            if position.value is None or state not in self._table:
                return state, context, NONE
            kind: Any = self._table[state].takes  # Any: an annotation of the user's
            return state, context, (TypeAdapter[object](kind).validate_json(to_json(position.value[0])),)
        except ValidationError as error:
            await block(name, f"in state {position.state!r}, the value does not fit {error.title}: {misfits(error)}")

    async def _visit(self, handler: Handler, context: C, value: Passed) -> Visited[C]:
        """Visit a state; return the next one, the value for it, and the new context."""
        spec, name = handler.spec, name_of(handler.spec.state)
        if spec.timeout is None:
            async with open_step(name):
                return await self._tries(handler, context, value)
        late = StateTimedOut(f"{type(self).__name__} was in {name!r} for more than {length_of(spec.timeout)}")
        try:
            async with open_step(name):
                return await _in_time(spec.timeout, self._tries(handler, context, value), late)
        except StateTimedOut as error:
            if error is not late or spec.on_timeout is None:  # not the timeout of a machine inside this state
                raise
            return spec.on_timeout, NONE, context

    async def _tries(self, handler: Handler, context: C, value: Passed) -> Visited[C]:
        """Run the method until it returns or fails for good."""
        failed = 0
        while True:
            draft, passed = copy.deepcopy((context, value))
            try:
                with one_error():
                    returned: object = await getattr(self, handler.method)(draft, *passed)
            except (LLMFlowError, ActivityError, ChildWorkflowError) as error:
                if failed == handler.spec.retries or is_cancelled_exception(error) or not may_pass(error):
                    raise
                await _wait(failed, error)
                failed += 1
                continue
            if not handler.targets and returned is None:
                return handler.spec.state, NONE, draft
            target, passed = _taken_apart(returned)
            # By identity: the text "done" equals a `StrEnum` member.
            known = next((one for one in handler.targets if target is one), None)
            if known is None or bool(passed) != (known in handler.passes):
                raise MachineInvalid(
                    f"{type(self).__name__}.{handler.method} returned {returned!r}: its annotation does not list it"
                )
            return known, passed, draft


def _taken_apart(returned: object) -> tuple[object, Passed]:
    """Split a method's return value into the next state and the value for it."""
    if isinstance(returned, tuple) and len(pair := cast(tuple[Any, ...], returned)) == 2:  # Any: the user's values
        return pair[0], (pair[1],)
    return cast(object, returned), NONE


async def _in_time(timeout: timedelta, tries: Coroutine[None, None, Visited[C]], late: StateTimedOut) -> Visited[C]:
    """Return the result of the attempts, or raise `late` at the timeout, in both cases after they have ended."""
    running, is_late = asyncio.create_task(tries), False
    try:
        await workflow.wait_condition(running.done, timeout=timeout, timeout_summary=late.message)
    except TimeoutError:
        is_late = True
    finally:
        await stop([running])
    try:
        return running.result()
    except (Exception, asyncio.CancelledError) as error:
        if is_late and is_cancelled_exception(error):
            raise late from None
        raise


def _adapter(context: C) -> TypeAdapter[C]:
    try:
        return TypeAdapter(type(context))
    except PydanticSchemaGenerationError:
        raise InputInvalid(
            f"the context of a machine is a pydantic model or a dataclass, not `{type(context).__name__}`",
            ErrorDetail(field="context"),
        ) from None


def _position(state: Enum, context: C, adapter: TypeAdapter[C], visits: dict[str, int], value: Passed) -> Position:
    try:
        written = adapter.dump_python(context, mode="json", by_alias=True)
        passed = (to_jsonable_python(value[0], by_alias=True),) if value else None
    except PydanticSerializationError as error:
        raise InputInvalid(
            f"the context of a machine cannot be written as JSON: {error}", ErrorDetail(field="context")
        ) from None
    return Position(state=name_of(state), context=written, visits=dict(visits), value=passed)


def _count(visits: dict[str, int], handler: Handler, way: list[str]) -> None:
    """Count a visit.

    Raises:
        TooManyVisits: this is one too many.
    """
    name, most = name_of(handler.spec.state), handler.spec.max_visits
    visits[name] = visits.get(name, 0) + 1
    if visits[name] > most:
        before = len(way) - 2 - way[-2::-1].index(name) if name in way[:-1] else 0
        raise TooManyVisits(
            f"state {name!r} may be entered {most} times, and is entered once more: {' → '.join(way[before:])}. "
            "Leave the loop, or raise its max_visits"
        )


def _events() -> int:
    return workflow.info().get_current_history_length()


async def _continue_if_due(run: CurrentRun, *, is_over: bool) -> None:
    """Continue as new between two states, if the history is long and nothing would be lost or repeated."""
    if is_due() and run.machines.may_continue_as_new() and not (is_over or run.sagas.pending()):
        run.machines.continue_as_new()
        await continue_as_new((await run.begun()).arguments)


async def _wait(failed: int, error: Exception) -> None:
    """Wait before a retry of a state; longer each time, and at least as long as the vendor asks."""
    asked = error.detail.retry_after if isinstance(error, LLMFlowError) else None
    seconds = max(asked or 0.0, min(2.0**failed, LONGEST_PAUSE))
    await pause(seconds, reason=described(error), summary=f"tries again in {seconds:.0f} s")
