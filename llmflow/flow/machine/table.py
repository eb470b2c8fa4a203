"""What a machine's class says, and what is wrong with it."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import Literal, cast, get_args, get_origin, get_type_hints

from llmflow.errors import MachineInvalid, did_you_mean
from llmflow.types.addresses import is_name
from llmflow.types.lengths import length_problem
from llmflow.types.machines import MachineDescription, StateDescription

MARK = "__llmflow_state__"
"""What `@machine.step` leaves on a method. The sandbox runs the modules of users again for every run, so nothing is
registered anywhere else."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What `@machine.step` says of a state."""

    state: Enum
    timeout: timedelta | None
    on_timeout: Enum | None
    retries: int
    max_visits: int


@dataclass(frozen=True)
class Handler:
    """A state with its method."""

    spec: Spec
    method: str
    targets: tuple[Enum, ...]
    """What the method may return."""

    @property
    def next(self) -> tuple[Enum, ...]:
        """Every state that can follow."""
        return self.targets if self.spec.on_timeout is None else (*self.targets, self.spec.on_timeout)


Table = Mapping[Enum, Handler]


def name_of(state: Enum) -> str:
    """As people see it: the value if that is a text, else the member's name."""
    return state.value if isinstance(state.value, str) else state.name


def read(cls: type) -> tuple[Table, MachineDescription]:
    """The handlers of a machine's class in the order of the enum, and how it looks.

    Raises:
        MachineInvalid: it cannot run; names every state and method that is wrong.
    """
    start, ends = _bounds(cls)
    states = type(start)
    found = list(_handlers(cls))
    _none(cls, [*_unnamable(states), *_misplaced(found, states, ends), *_wrong_numbers(found)])
    table = {handler.spec.state: handler for handler in found}
    _none(cls, _unhandled(states, table, ends))
    _none(cls, [*_unreachable(states, table, start), *_endless(table, ends)])
    ordered = {state: table[state] for state in states if state in table}
    return MappingProxyType(ordered), _described(cls, ordered, start, ends)


def _bounds(cls: type) -> tuple[Enum, tuple[Enum, ...]]:
    """Where it begins and where it may end."""
    start: object = getattr(cls, "start", None)
    if not isinstance(start, Enum):
        raise _invalid(cls, "it does not say where it begins: write `start = State.FIRST`, a member of an enum")
    ends: object = getattr(cls, "ends", None)
    if not isinstance(ends, tuple) or not ends:
        raise _invalid(cls, "it does not say where it ends: write `ends = (State.DONE,)`, a tuple of states")
    given = cast(tuple[object, ...], ends)
    wrong = [end for end in given if not isinstance(end, type(start))]
    if wrong:
        raise _invalid(cls, f"`ends` has {_list(wrong)}, which {type(start).__name__} has not")
    if start in ends:
        raise _invalid(cls, f"it begins at its end, {_said(start)}")
    return start, cast(tuple[Enum, ...], ends)


def _handlers(cls: type) -> Iterator[Handler]:
    """The marked methods, of base classes too."""
    names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
    for name in names:
        method: object = getattr(cls, name, None)
        spec: object = getattr(method, MARK, None)
        if isinstance(spec, Spec):
            yield Handler(spec, name, _targets(cls, name, method))


def _targets(cls: type, name: str, method: object) -> tuple[Enum, ...]:
    """What the return annotation lists."""
    if not inspect.iscoroutinefunction(method):
        raise _invalid(cls, f"`{name}` must be `async def`")
    try:
        hint: object = get_type_hints(method).get("return")
    except (NameError, AttributeError) as error:
        why = f"`{name}`: {error}; what annotations name must be there when the module is imported, at its top"
        raise _invalid(cls, why) from None
    targets = get_args(hint)
    if get_origin(hint) is not Literal or not all(isinstance(target, Enum) for target in targets):
        said = f"it says {inspect.formatannotation(hint)}" if hint else "it says nothing"
        raise _invalid(cls, f"`{name}` must say which states may follow: `-> Literal[State.A, State.B]`; {said}")
    return targets


def _unnamable(states: type[Enum]) -> Iterator[str]:
    named: dict[str, Enum] = {}
    for state in states:
        name = name_of(state)
        if (other := named.setdefault(name, state)) is not state:
            yield f"{_said(other)} and {_said(state)} are both called {name!r}"
        if not is_name(name) or not name.isprintable():
            yield f"{_said(state)} is called {name!r}: steps have non-empty names without `/` and `#`"


def _misplaced(found: Sequence[Handler], states: type[Enum], ends: Sequence[Enum]) -> Iterator[str]:
    """States that are not the machine's, are handled twice, or are ends."""
    methods: dict[Enum, str] = {}
    for handler in found:
        state = handler.spec.state
        if handler.method == "run":
            yield "`run` is the machine's own method: give yours another name"
        if not isinstance(state, states):
            yield f"`{handler.method}` handles {_said(state)}, which {states.__name__} has not"
        elif state in ends:
            yield f"`{handler.method}` handles {_said(state)}, which is an end: nothing happens there"
        elif state in methods:
            yield f"`{methods[state]}` and `{handler.method}` both handle {_said(state)}"
        methods[state] = handler.method
        for target in handler.next:
            if not isinstance(target, states):
                near = did_you_mean(getattr(target, "name", ""), [member.name for member in states])  # or a text
                yield f"`{handler.method}` leads to {_said(target)}, which {states.__name__} has not{near}"


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
        yield f"no way leads from {_said(start)} to {_list(lost)}"


def _endless(table: Table, ends: Sequence[Enum]) -> Iterator[str]:
    """States from which no end can be reached: backwards from the ends until nothing is new."""
    saved = set(ends)
    while more := {state for state in table if state not in saved and not saved.isdisjoint(table[state].next)}:
        saved |= more
    caught = [state for state in table if state not in saved]
    if caught:
        yield f"no way leads from {_list(caught)} to an end"


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
        raise _invalid(cls, *told)


def _invalid(cls: type, *problems: str) -> MachineInvalid:
    return MachineInvalid(f"machine {cls.__qualname__}: {'; '.join(problems)}")


def _list(states: Sequence[object]) -> str:
    return ", ".join(map(_said, states))


def _said(state: object) -> str:
    """As the code spells it: the text of a `StrEnum` member is its value."""
    return f"{type(state).__name__}.{state.name}" if isinstance(state, Enum) else repr(state)
