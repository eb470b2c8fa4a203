"""Handlers of a machine's class: the state of each method, the states that may follow, and the values passed."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from llmflow.errors import MachineInvalid

MARK = "__llmflow_state__"
"""Attribute that `@machine.step` sets on a method. A registry elsewhere would leak, because the sandbox imports the
users' modules anew for every run."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """Arguments of `@machine.step`."""

    state: Enum
    timeout: timedelta | None
    on_timeout: Enum | None
    retries: int
    max_visits: int


@dataclass(frozen=True)
class Handler:
    """The method of a state."""

    spec: Spec
    method: str
    targets: tuple[Enum, ...]
    """States that the method may return; none for an end."""
    passes: Mapping[Enum, object]
    """Annotations of values passed to next states, by state."""
    takes: object = inspect.Parameter.empty
    """Annotation of the value taken from the previous state."""
    needs: bool = False
    """True if the taken value has no default."""

    @property
    def takes_value(self) -> bool:
        """True if the method has a parameter for the value of the previous state."""
        return self.takes is not inspect.Parameter.empty

    @property
    def next(self) -> tuple[Enum, ...]:
        """All states that can follow, after a timeout included."""
        return self.targets if self.spec.on_timeout is None else (*self.targets, self.spec.on_timeout)


def handlers_of(cls: type) -> Iterator[Handler]:
    """Find the marked methods, those of base classes included."""
    names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
    for name in names:
        method: object = getattr(cls, name, None)
        spec: object = getattr(method, MARK, None)
        if isinstance(spec, Spec):
            yield _handler(cls, spec, name, method)


def _handler(cls: type, spec: Spec, name: str, method: object) -> Handler:
    """Make a handler from the method's annotations."""
    if not inspect.iscoroutinefunction(method):
        raise invalid(cls, f"`{name}` must be `async def`")
    try:
        hints: dict[str, object] = get_type_hints(method)
    except (NameError, AttributeError) as error:
        why = f"`{name}`: {error}; define the names in its annotations at the top of the module"
        raise invalid(cls, why) from None
    routes = _routes(hints.get("return"))
    if routes is None:
        said = inspect.formatannotation(hints["return"]) if "return" in hints else "nothing"
        raise invalid(cls, f"{must_say(name)} {said}")
    passes = {state: value for state, value in routes.items() if value is not inspect.Parameter.empty}
    given = list(inspect.signature(method).parameters.values())[2:]  # after `self` and the context
    if not given:
        return Handler(spec, name, tuple(routes), passes)
    takes = hints.get(given[0].name, Any)
    return Handler(spec, name, tuple(routes), passes, takes, needs=given[0].default is inspect.Parameter.empty)


def _routes(hint: object) -> dict[Enum, object] | None:
    """Read the states in a return annotation, each with the type of the value passed to it; `None` if it lists none.

    Forms: `Literal[State.A]`, `tuple[Literal[State.B], Draft]`, unions of these, and `None` for an end.
    """
    if hint is NoneType:
        return {}
    if get_origin(hint) in (Union, UnionType):
        parts = [_routes(part) for part in get_args(hint)]
        whole = {state: value for part in parts if part for state, value in part.items()}
        return whole if all(parts) else None
    value: object = inspect.Parameter.empty
    if get_origin(hint) is tuple and len(get_args(hint)) == 2:
        hint, value = get_args(hint)
    states = get_args(hint)
    if get_origin(hint) is not Literal or not all(isinstance(state, Enum) for state in states):
        return None
    return dict.fromkeys(states, value)


def must_say(method: str) -> str:
    """Begin the message about a return annotation."""
    return f"`{method}` must say which states may follow: `-> Literal[State.A, State.B]`; it says"


def invalid(cls: type, *problems: str) -> MachineInvalid:
    """Make the error for an invalid machine class."""
    return MachineInvalid(f"machine {cls.__qualname__}: {'; '.join(problems)}")
