"""State machines as data: their description, and their position in a run."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import JsonValue

from llmflow.types.base import CompactWire, Wire

__all__ = ["MachineDescription", "StateDescription", "Transition"]

_SHOWN = 3
"""States of a machine shown in a line."""


class StateDescription(Wire):
    """One state that has a handler."""

    name: str
    targets: tuple[str, ...]
    """States that the handler may return."""
    timeout: timedelta | None = None
    """Time limit of one visit, retries included."""
    on_timeout: str | None = None
    """Next state after the timeout; without one the machine fails."""
    retries: int = 0
    """Retries of a failed handler per visit."""
    max_visits: int
    """Upper limit of visits to the state."""


class MachineDescription(Wire):
    """A machine's states and transitions, such as `Onboarding.description`."""

    name: str
    start: str
    ends: tuple[str, ...]
    states: tuple[StateDescription, ...]
    """States with a handler, in the order of the enum."""


class Transition(CompactWire):
    """One step of a machine from a state to the next."""

    machine: str
    """Its class; with `#2` for the second machine of that class in the same place."""
    source: str | None = None
    """`None` when the machine starts."""
    target: str
    at: datetime


class Position(CompactWire):
    """State of a machine between two transitions, to carry over continue-as-new."""

    state: str
    context: JsonValue
    visits: dict[str, int] = {}
    """Visits by state."""
    value: tuple[JsonValue] | None = None
    """The value passed to the state, in a tuple of one; `None` if none was."""


class Machines(CompactWire):
    """The state machines of a run."""

    positions: dict[str, Position] = {}
    """Positions by machine."""
    transitions: tuple[Transition, ...] = ()
    """The latest transitions."""
    moves: int = 0
    """Number of all transitions so far."""


def ways(transitions: Iterable[Transition]) -> tuple[str, ...]:
    """Format each machine with its latest states, such as `Onboarding: … → invited → accounts`."""
    states: dict[str, list[str]] = {}
    for one in transitions:
        states.setdefault(one.machine, []).append(one.target)
    return tuple(
        f"{machine}: {'… → ' if len(way) > _SHOWN else ''}{' → '.join(way[-_SHOWN:])}"
        for machine, way in states.items()
    )
