"""The state machines of one run: where each stands, and how it came there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from llmflow.types.machines import Machines, Position, Transition

TRANSITIONS = 200
"""How many are kept; the number of all is kept, too."""


class MachineRecord:
    """What one run knows of its machines."""

    def __init__(self) -> None:
        self.positions: dict[str, Position] = {}
        """By machine, of those at the top of the run."""
        self.transitions: tuple[Transition, ...] = ()
        """The last ones."""
        self.moves = 0
        """How many there were in all."""
        self.open = 0
        """Machines that are under way."""
        self.reached = 0
        """Events of the history, up to where the run did nothing but machines. A run that begins again repeats what it
        did beyond, so no machine from there on lets it begin again."""
        self.arguments: Sequence[Any] = ()  # Any: the user's own types
        """Of the workflow, for when it begins again."""
        self.goes_on = False
        """Whether a machine lets the run begin again now. Who continues it as new otherwise, wants new machines."""
        self._names: dict[str, int] = {}

    def take_over(self, carried: Machines, events: int) -> None:
        """From the run that this one continues; at the first of its own events."""
        self.positions, self.transitions, self.moves = dict(carried.positions), carried.transitions, carried.moves
        self.reached = events

    def hand_on(self) -> Machines:
        """For the run that continues this one."""
        return Machines(
            positions=self.positions if self.goes_on else {}, transitions=self.transitions, moves=self.moves
        )

    def named(self, path: tuple[str, ...], name: str) -> str:
        """The name of the next machine of that class here: the same in a run that begins again."""
        key = "/".join((*path, name))
        self._names[key] = self._names.get(key, 0) + 1
        return key if self._names[key] == 1 else f"{key}#{self._names[key]}"

    def move(self, machine: str, source: str | None, target: str, at: datetime) -> None:
        """Record a transition."""
        transition = Transition(machine=machine, source=source, target=target, at=at)
        self.transitions = (*self.transitions, transition)[-TRANSITIONS:]
        self.moves += 1

    def way(self, machine: str) -> list[str]:
        """The states that a machine has been in, the last ones."""
        return [one.target for one in self.transitions if one.machine == machine]
