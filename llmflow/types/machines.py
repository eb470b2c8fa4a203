"""State machines as data: what one looks like, and where one stands."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import JsonValue

from llmflow.types.base import CompactWire, Wire

__all__ = ["MachineDescription", "StateDescription", "Transition"]

_SHOWN = 3
"""States of a machine in a line that says where it stands."""


class StateDescription(Wire):
    """One state that has a handler."""

    name: str
    targets: tuple[str, ...]
    """The states that the handler may return."""
    timeout: timedelta | None = None
    """Of one visit, with all its retries."""
    on_timeout: str | None = None
    """The state that follows when the time is up; without one the machine fails."""
    retries: int = 0
    """How often the handler is run again when it failed."""
    max_visits: int
    """How often the state may be entered."""


class MachineDescription(Wire):
    """What a machine looks like: `Onboarding.description`."""

    name: str
    start: str
    ends: tuple[str, ...]
    states: tuple[StateDescription, ...]
    """In the order of the enum."""


class Transition(CompactWire):
    """One step of a machine from a state to the next."""

    machine: str
    """Its class, and `#2` for the second of that class in the same place."""
    source: str | None = None
    """`None`: the machine began."""
    target: str
    at: datetime


class Position(CompactWire):
    """Where a machine stands between two states: all that the run that continues it needs."""

    state: str
    context: JsonValue
    visits: dict[str, int] = {}
    """By state."""
    value: tuple[JsonValue] | None = None
    """What was handed to the state, if anything was."""


class Machines(CompactWire):
    """The state machines of a run."""

    positions: dict[str, Position] = {}
    """By machine."""
    transitions: tuple[Transition, ...] = ()
    """The last ones."""
    moves: int = 0
    """How many transitions there were in all."""


def ways(transitions: Iterable[Transition]) -> tuple[str, ...]:
    """Each machine with the last states that it was in, such as `Onboarding: … → invited → accounts`."""
    states: dict[str, list[str]] = {}
    for one in transitions:
        states.setdefault(one.machine, []).append(one.target)
    return tuple(
        f"{machine}: {'… → ' if len(way) > _SHOWN else ''}{' → '.join(way[-_SHOWN:])}"
        for machine, way in states.items()
    )
