"""The methods of a machine's class: which state each handles, which states may follow, and what is handed on."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from llmflow.errors import MachineInvalid

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
    """The states that the method may return; none for an end."""
    hands: Mapping[Enum, object]
    """The annotation of the value that it hands to a state, by state."""
    takes: object = inspect.Parameter.empty
    """The annotation of the value that it takes from the state before."""
    needs: bool = False
    """The value has no default."""

    @property
    def takes_value(self) -> bool:
        """The method has a parameter for the value of the state before."""
        return self.takes is not inspect.Parameter.empty

    @property
    def next(self) -> tuple[Enum, ...]:
        """Every state that can follow."""
        return self.targets if self.spec.on_timeout is None else (*self.targets, self.spec.on_timeout)


def handlers_of(cls: type) -> Iterator[Handler]:
    """The marked methods, of base classes too."""
    names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
    for name in names:
        method: object = getattr(cls, name, None)
        spec: object = getattr(method, MARK, None)
        if isinstance(spec, Spec):
            yield _handler(cls, spec, name, method)


def _handler(cls: type, spec: Spec, name: str, method: object) -> Handler:
    """A handler as it is annotated."""
    if not inspect.iscoroutinefunction(method):
        raise invalid(cls, f"`{name}` must be `async def`")
    try:
        hints: dict[str, object] = get_type_hints(method)
    except (NameError, AttributeError) as error:
        why = f"`{name}`: {error}; what annotations name must be there when the module is imported, at its top"
        raise invalid(cls, why) from None
    routes = _routes(hints.get("return"))
    if routes is None:
        said = inspect.formatannotation(hints["return"]) if "return" in hints else "nothing"
        raise invalid(cls, f"{must_say(name)} {said}")
    hands = {state: value for state, value in routes.items() if value is not inspect.Parameter.empty}
    given = list(inspect.signature(method).parameters.values())[2:]  # after `self` and the context
    if not given:
        return Handler(spec, name, tuple(routes), hands)
    takes = hints.get(given[0].name, Any)
    return Handler(spec, name, tuple(routes), hands, takes, needs=given[0].default is inspect.Parameter.empty)


def _routes(hint: object) -> dict[Enum, object] | None:
    """The states in a return annotation, each with the value that is handed to it; `None` if it lists none.

    `Literal[State.A]`, `tuple[Literal[State.B], Draft]`, a union of such; and `None` for an end.
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
    """The beginning of what is wrong with a return annotation."""
    return f"`{method}` must say which states may follow: `-> Literal[State.A, State.B]`; it says"


def invalid(cls: type, *problems: str) -> MachineInvalid:
    """The error of a class that cannot run."""
    return MachineInvalid(f"machine {cls.__qualname__}: {'; '.join(problems)}")
