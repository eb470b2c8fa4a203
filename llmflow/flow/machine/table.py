"""The table of a machine's class: its handlers, checked."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import cast

from llmflow.errors import did_you_mean
from llmflow.flow.machine.handlers import Handler, handlers_of, invalid, must_say
from llmflow.types.addresses import is_name
from llmflow.types.lengths import length_problem
from llmflow.types.machines import MachineDescription, StateDescription

Table = Mapping[Enum, Handler]


def name_of(state: Enum) -> str:
    """Return a state's display name: its value if that is a text, else the member's name."""
    return state.value if isinstance(state.value, str) else state.name


def read(cls: type) -> tuple[Table, MachineDescription]:
    """Read a machine's class: its handlers in the order of the enum, and its description.

    Raises:
        MachineInvalid: the class is invalid; the message names every wrong state and method.
    """
    start, ends = _bounds(cls)
    states = type(start)
    found = list(handlers_of(cls))
    _none(cls, [*_unnamable(states), *_misplaced(found, states, ends), *_wrong_numbers(found)])
    table = {handler.spec.state: handler for handler in found}
    _none(cls, _unhandled(states, table, ends))
    _none(cls, _unpassed(table, start))
    _none(cls, [*_unreachable(states, table, start), *_endless(table, ends)])
    ordered = {state: table[state] for state in states if state in table}
    return MappingProxyType(ordered), _described(cls, ordered, start, ends)


def _bounds(cls: type) -> tuple[Enum, tuple[Enum, ...]]:
    """Read `start` and `ends`."""
    start: object = getattr(cls, "start", None)
    if not isinstance(start, Enum):
        raise invalid(cls, "it has no `start`: write `start = State.FIRST`, a member of an enum")
    ends: object = getattr(cls, "ends", None)
    if not isinstance(ends, tuple) or not ends:
        raise invalid(cls, "it has no `ends`: write `ends = (State.DONE,)`, a tuple of states")
    given = cast(tuple[object, ...], ends)
    wrong = [end for end in given if not isinstance(end, type(start))]
    if wrong:
        raise invalid(cls, f"`ends` has {_list(wrong)}, which is not in {type(start).__name__}")
    if start in ends:
        raise invalid(cls, f"`start` is also an end, {_said(start)}")
    return start, cast(tuple[Enum, ...], ends)


def _unnamable(states: type[Enum]) -> Iterator[str]:
    named: dict[str, Enum] = {}
    for state in states:
        name = name_of(state)
        if (other := named.setdefault(name, state)) is not state:
            yield f"{_said(other)} and {_said(state)} are both called {name!r}"
        if not is_name(name) or not name.isprintable():
            yield f"{_said(state)} is called {name!r}: steps have non-empty names without `/` and `#`"


def _misplaced(found: Sequence[Handler], states: type[Enum], ends: Sequence[Enum]) -> Iterator[str]:
    """Find states that are not the machine's, are handled twice, or are ends with next states."""
    methods: dict[Enum, str] = {}
    for handler in found:
        state = handler.spec.state
        if handler.method == "run":
            yield "`run` is the machine's own method: give yours another name"
        if not isinstance(state, states):
            yield f"`{handler.method}` handles {_said(state)}, which is not in {states.__name__}"
        elif state in ends and handler.next:
            yield f"`{handler.method}` handles {_said(state)}, which is an end: let it return None, `-> None`"
        elif not handler.next and state not in ends:
            yield f"{must_say(handler.method)} None"
        elif state in methods:
            yield f"`{methods[state]}` and `{handler.method}` both handle {_said(state)}"
        methods[state] = handler.method
        for target in handler.next:
            if not isinstance(target, states):
                near = did_you_mean(getattr(target, "name", ""), [member.name for member in states])  # or a text
                yield f"`{handler.method}` leads to {_said(target)}, which is not in {states.__name__}{near}"


def _unpassed(table: Table, start: Enum) -> Iterator[str]:
    """Find values that a state takes without getting one, and values passed to a state that takes none."""
    if start in table and table[start].needs:
        yield f"`{table[start].method}` takes a value, but the machine starts there: give it a default"
    for handler in table.values():
        for target in dict.fromkeys(handler.next):
            if (taker := table.get(target)) is None:
                if target in handler.passes:
                    yield f"`{handler.method}` passes a value to {_said(target)}, which has no method"
            elif target in handler.passes:
                yield from _mismatch(handler, taker, handler.passes[target])
                if target == handler.spec.on_timeout and taker.needs:
                    yield f"`{taker.method}` takes a value, but on_timeout of `{handler.method}` passes none"
            elif taker.needs:
                yield f"`{taker.method}` takes a value, but `{handler.method}` passes none to it"


def _mismatch(handler: Handler, taker: Handler, value: object) -> Iterator[str]:
    if not taker.takes_value:
        yield f"`{handler.method}` passes a value to `{taker.method}`, which takes none"
        return
    both = isinstance(value, type) and isinstance(taker.takes, type)
    if both and not issubclass(cast(type, value), cast(type, taker.takes)):
        said = inspect.formatannotation(value), inspect.formatannotation(taker.takes)
        yield f"`{handler.method}` passes a {said[0]} to `{taker.method}`, which takes a {said[1]}"


def _wrong_numbers(found: Sequence[Handler]) -> Iterator[str]:
    for handler in found:
        spec = handler.spec
        if spec.retries < 0 or spec.max_visits < 1:
            yield f"`{handler.method}` needs retries >= 0 and max_visits >= 1: {spec.retries}, {spec.max_visits}"
        if spec.timeout is not None and (problem := length_problem("timeout", spec.timeout)):
            yield f"`{handler.method}` has {problem}"
        if spec.on_timeout is not None and spec.timeout is None:
            yield f"`{handler.method}` has on_timeout={_said(spec.on_timeout)} and no timeout"


def _unhandled(states: type[Enum], table: Table, ends: Sequence[Enum]) -> Iterator[str]:
    missing = [state for state in states if state not in table and state not in ends]
    if missing:
        first = _said(missing[0])
        yield f"nothing handles {_list(missing)}: write a method under @machine.step({first}), or add it to `ends`"


def _unreachable(states: type[Enum], table: Table, start: Enum) -> Iterator[str]:
    reached = {start: None}  # in order
    for state in (waiting := [start]):
        for target in table[state].next if state in table else ():
            if target not in reached:
                reached[target] = None
                waiting.append(target)
    lost = [state for state in states if state not in reached]
    if lost:
        yield f"no path leads from {_said(start)} to {_list(lost)}"


def _endless(table: Table, ends: Sequence[Enum]) -> Iterator[str]:
    """Find states that cannot reach an end, by searching backwards from the ends."""
    saved = set(ends)
    while more := {state for state in table if state not in saved and not saved.isdisjoint(table[state].next)}:
        saved |= more
    caught = [state for state in table if state not in saved]
    if caught:
        yield f"no path leads from {_list(caught)} to an end"


def _described(cls: type, table: Table, start: Enum, ends: Sequence[Enum]) -> MachineDescription:
    states = [
        StateDescription(
            name=name_of(state),
            targets=tuple(name_of(target) for target in handler.targets),
            timeout=handler.spec.timeout,
            on_timeout=None if handler.spec.on_timeout is None else name_of(handler.spec.on_timeout),
            retries=handler.spec.retries,
            max_visits=handler.spec.max_visits,
        )
        for state, handler in table.items()
    ]
    return MachineDescription(
        name=cls.__name__, start=name_of(start), ends=tuple(map(name_of, ends)), states=tuple(states)
    )


def _none(cls: type, problems: Iterable[str]) -> None:
    if told := list(problems):
        raise invalid(cls, *told)


def _list(states: Sequence[object]) -> str:
    return ", ".join(map(_said, states))


def _said(state: object) -> str:
    """Format a state as the code spells it; `str` of a `StrEnum` member is its value."""
    return f"{type(state).__name__}.{state.name}" if isinstance(state, Enum) else repr(state)
