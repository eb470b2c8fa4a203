"""State machines as data: what one looks like, and where one stands."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pydantic import JsonValue

from llmflow.types.base import CompactWire, Wire
from llmflow.types.lengths import length_of

_PLAIN = re.compile(r"(?!s\d+$)[A-Za-z_][A-Za-z0-9_]*")
"""Names that can stand as they are; `s1`, `s2`, ... stand for the others."""
_RESERVED = re.compile(
    "accDescr|accTitle|as|class|classDef|click|default|direction|end|hide|href|note|root_end|root_start|scale|state"
    "|stateDiagram|style",
    re.IGNORECASE,
)
"""Words of Mermaid's own, large or small, which no state may have for its name there."""
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

    def mermaid(self) -> str:
        """A diagram of Mermaid's, such as Markdown shows between ` ```mermaid ` and ` ``` `."""
        head = ["---", f"title: {self.name}", "---", "stateDiagram-v2"]
        return "\n".join([*head, *(f"    {line}" for line in self._lines())])

    def _lines(self) -> Iterator[str]:
        names = (*(state.name for state in self.states), *self.ends)
        drawn = {name: _drawn(name, number) for number, name in enumerate(names, start=1)}
        yield from (f'state "{_escaped(name)}" as {here}' for name, here in drawn.items() if name != here)
        yield f"[*] --> {drawn[self.start]}"
        for state in self.states:
            yield from (f"{drawn[state.name]} --> {drawn[target]}" for target in state.targets)
            if state.timeout and state.on_timeout:
                yield f"{drawn[state.name]} --> {drawn[state.on_timeout]}: after {length_of(state.timeout)}"
        yield from (f"{drawn[end]} --> [*]" for end in self.ends)


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


def _drawn(name: str, number: int) -> str:
    return name if _PLAIN.fullmatch(name) and not _RESERVED.fullmatch(name) else f"s{number}"


def _escaped(name: str) -> str:
    """As in HTML, with `#` for `&`."""
    return "".join(char if char.isalnum() or char in " _-.,()/" else f"#{ord(char)};" for char in name)
