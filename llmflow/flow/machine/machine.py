"""State machines: an enum of states, and a method for each that says which state is next.

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

from pydantic import PydanticSchemaGenerationError, TypeAdapter
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python
from temporalio import workflow
from temporalio.exceptions import ActivityError, ChildWorkflowError, is_cancelled_exception

from llmflow.errors import ErrorDetail, InputInvalid, LLMFlowError, MachineInvalid, StateTimedOut, TooManyVisits
from llmflow.flow.branches.branches import one_error, stop
from llmflow.flow.checkpoints import go_on, is_due
from llmflow.flow.failures import described, may_pass
from llmflow.flow.machine.handlers import MARK, Handler, Spec
from llmflow.flow.machine.table import Table, name_of, read
from llmflow.flow.pauses import pause
from llmflow.flow.run import CurrentRun, current, path
from llmflow.flow.steps import step as open_step
from llmflow.types.lengths import length_of
from llmflow.types.machines import MachineDescription, Position

C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., Awaitable[Enum | tuple[Enum, Any] | None]])  # Any: whatever is handed on
Handed = tuple[()] | tuple[Any]  # Any: as above
"""What a state hands to the next one: one value, or none."""
Visited = tuple[Enum, Handed, C]
NONE: Handed = ()

LONGEST_PAUSE = 60.0
"""Seconds between two tries of a state. The pauses begin with one second, and double."""


def step(
    state: Enum,
    *,
    timeout: timedelta | None = None,
    on_timeout: Enum | None = None,
    retries: int = 0,
    max_visits: int = 100,
) -> Callable[[F], F]:
    """Make a method the handler of a state. Its return annotation lists the states that may follow; an end's is None.

    Args:
        state: The state that the method handles.
        timeout: Of one visit, with all its retries. When it is up, what runs in the state is cancelled.
        on_timeout: The state that follows then; without one the machine fails with `StateTimedOut`.
        retries: How often the method is run again when a call in it failed and trying again may help. It does all of it
            again, with new idempotency keys: tools that change something have attempts of their own.
        max_visits: How often the state may be entered in one run of the machine.
    """
    spec = Spec(state=state, timeout=timeout, on_timeout=on_timeout, retries=retries, max_visits=max_visits)

    def mark(method: F) -> F:
        setattr(method, MARK, spec)
        return method

    return mark


@dataclass(frozen=True)
class Finished(Generic[C]):
    """How a machine ended."""

    state: Enum
    """One of its `ends`."""
    context: C


class Machine(Generic[C]):
    """A machine over a context of type `C`: a pydantic model or a dataclass. `await Onboarding().run(context)`.

    A method gets a copy of the context, and may change it; what it changed counts when it returns a state. So a try
    that failed, and a visit whose time was up, leave nothing behind. Every visit is a step of the run.

    What all states share and none changes goes into `__init__`: `Onboarding(rules).run(context)`. A method may hand a
    value to the next one: `-> tuple[Literal[State.CHECK], Draft]` returns `State.CHECK, draft`, and the method of
    CHECK takes it as its second argument.

    A class that cannot run fails when it is defined, with `MachineInvalid`.
    """

    start: ClassVar[Enum]
    """Where it begins."""
    ends: ClassVar[tuple[Enum, ...]]
    """Where it may end. A method of one acts when the machine comes there, and returns nothing."""
    description: ClassVar[MachineDescription]
    """Its states and transitions as data, for `llmflow graph` and other drawings."""
    _table: ClassVar[Table]

    def __init_subclass__(cls, **options: Any) -> None:  # Any: of other base classes
        """Check the machine.

        Raises:
            MachineInvalid: states are unknown, unreachable, without a method, without a way to an end, or handled
                twice; or it has no `start` or `ends`. The message names all of them.
        """
        super().__init_subclass__(**options)
        cls._table, cls.description = read(cls)

    async def run(self, context: C) -> Finished[C]:
        """Go from the start to an end.

        When the run's history gets long, the run continues as new between two states: its workflow begins again with
        the same input, machines that are done answer at once, and this one goes on where it stood. A run that has done
        something else, before the machine or beside it, does not, because it would do that again: do it in states.
        What handlers of signals and updates have put onto the workflow object does not come along.

        Args:
            context: Where a run continues another one, the context that it ended with is taken instead.

        Raises:
            StateTimedOut: the time of a state was up, and it names no state for that.
            TooManyVisits: a state was entered more often than it may be; the message has the loop.
            MachineInvalid: a method returned a state that its annotation does not list; or the run before stood in a
                state or a machine that its code has not any more.
            InputInvalid: the context is neither a pydantic model nor a dataclass, or cannot be written as JSON.
        """
        run = current()
        adapter, machines = _adapter(context), run.machines
        name, can_go_on = machines.named(path.get(), type(self).__name__), machines.begin(path.get(), _events())
        state, visits, value = self.start, dict[str, int](), NONE
        if can_go_on and (position := machines.stood(name)):
            state, visits = self._state(position.state), dict(position.visits)
            context = adapter.validate_json(to_json(position.context))
            value = self._read(state, position)
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
                if can_go_on:
                    machines.stand(name, _position(state, context, adapter, visits, value))
                    await _go_on(run, is_over=state in self.ends)
        if can_go_on:
            machines.end(_events())
        return Finished(state, context)

    def _state(self, name: str) -> Enum:
        """The state of that name; a newer worker may have renamed it."""
        for state in type(self.start):
            if name_of(state) == name:
                return state
        raise MachineInvalid(
            f"machine {type(self).__name__} stands in {name!r}, which {type(self.start).__name__} has not any more: "
            "keep a state as long as runs stand in it"
        )

    def _read(self, state: Enum, position: Position) -> Handed:
        """The value that the run before handed to the state."""
        if position.value is None or state not in self._table:
            return NONE
        kind: Any = self._table[state].takes  # Any: an annotation of the user's
        return (TypeAdapter[object](kind).validate_json(to_json(position.value[0])),)

    async def _visit(self, handler: Handler, context: C, value: Handed) -> Visited[C]:
        """One visit of a state: the next one, what is handed to it, and the context as it is then."""
        spec, name = handler.spec, name_of(handler.spec.state)
        if spec.timeout is None:
            async with open_step(name):
                return await self._tries(handler, context, value)
        late = StateTimedOut(f"{type(self).__name__} was in {name!r} for more than {length_of(spec.timeout)}")
        try:
            async with open_step(name):
                return await _in_time(spec.timeout, self._tries(handler, context, value), late)
        except StateTimedOut as error:
            if error is not late or spec.on_timeout is None:  # one of a machine inside of this state is its own affair
                raise
            return spec.on_timeout, NONE, context

    async def _tries(self, handler: Handler, context: C, value: Handed) -> Visited[C]:
        """Run the method until it returns, or fails for good."""
        failed = 0
        while True:
            draft, handed = copy.deepcopy((context, value))
            try:
                with one_error():
                    returned: object = await getattr(self, handler.method)(draft, *handed)
            except (LLMFlowError, ActivityError, ChildWorkflowError) as error:
                if failed == handler.spec.retries or is_cancelled_exception(error) or not may_pass(error):
                    raise
                await _wait(failed, error)
                failed += 1
                continue
            if not handler.targets and returned is None:
                return handler.spec.state, NONE, draft
            target, handed = _taken_apart(returned)
            # By identity, because the text "done" equals a `StrEnum`'s member.
            known = next((one for one in handler.targets if target is one), None)
            if known is None or bool(handed) != (known in handler.hands):
                raise MachineInvalid(
                    f"{type(self).__name__}.{handler.method} returned {returned!r}: its annotation does not list it"
                )
            return known, handed, draft


def _taken_apart(returned: object) -> tuple[object, Handed]:
    """A state and what is handed to it, of what a method returned."""
    if isinstance(returned, tuple) and len(pair := cast(tuple[Any, ...], returned)) == 2:  # Any: the user's values
        return pair[0], (pair[1],)
    return cast(object, returned), NONE


async def _in_time(timeout: timedelta, tries: Coroutine[None, None, Visited[C]], late: StateTimedOut) -> Visited[C]:
    """What the tries give, or `late`; not before they have really ended."""
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


def _position(state: Enum, context: C, adapter: TypeAdapter[C], visits: dict[str, int], value: Handed) -> Position:
    try:
        written = adapter.dump_python(context, mode="json", by_alias=True)
        handed = (to_jsonable_python(value[0], by_alias=True),) if value else None
    except PydanticSerializationError as error:
        raise InputInvalid(
            f"the context of a machine cannot be written as JSON: {error}", ErrorDetail(field="context")
        ) from None
    return Position(state=name_of(state), context=written, visits=dict(visits), value=handed)


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


async def _go_on(run: CurrentRun, *, is_over: bool) -> None:
    """Between two states: let the run begin again if its history is long, and nothing would be lost or done twice."""
    if is_due() and run.machines.may_go_on() and not (is_over or run.sagas.pending()):
        run.machines.go_on()
        await go_on((await run.begun()).arguments)


async def _wait(failed: int, error: Exception) -> None:
    """Until a state is tried again; longer each time, and at least as long as a vendor asks for."""
    asked = error.detail.retry_after if isinstance(error, LLMFlowError) else None
    seconds = max(asked or 0.0, min(2.0**failed, LONGEST_PAUSE))
    await pause(seconds, reason=described(error), summary=f"tries again in {seconds:.0f} s")
