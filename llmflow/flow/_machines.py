"""The state machines of one run: where each stands, and how it came there."""

from collections.abc import Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from llmflow.errors import MachineInvalid
from llmflow.types.machines import Machines, Position, Transition

TRANSITIONS = 200
"""How many are kept; the number of all is kept, too."""

# Whether a machine runs the code that asks. The value lives in the tasks of one run, as that of the path does.
inside: ContextVar[bool] = ContextVar("llmflow_machine", default=False)


class MachineRecord:
    """What one run knows of its machines."""

    def __init__(self) -> None:
        self.positions: dict[str, Position] = {}
        """By machine, of those that a run which begins again finds where they were."""
        self.transitions: tuple[Transition, ...] = ()
        """The last ones."""
        self.moves = 0
        """How many there were in all."""
        self.alone = True
        """Whether all that the run did was done by machines, one after the other. Whatever else it did would be done
        twice if the run began again."""
        self.open = 0
        """Machines that are under way."""
        self.reached = 0
        """Events of the history when the last machine ended: when there are more, the run has waited for something."""
        self.arguments: Sequence[Any] = ()  # Any: the user's own types
        """Of the workflow, for when it begins again."""
        self.goes_on = False
        """Whether a machine lets the run begin again now. Who continues it as new otherwise, wants new machines."""
        self._names: dict[str, int] = {}
        self._before: dict[str, Position] = {}
        """Where machines stood in the run before, which have not begun again yet."""

    def take_over(self, carried: Machines, events: int) -> None:
        """From the run that this one continues; at the first of its own events."""
        self.positions, self.transitions, self.moves = dict(carried.positions), carried.transitions, carried.moves
        self._before, self.reached = dict(carried.positions), events

    def hand_on(self) -> Machines:
        """For the run that continues this one."""
        return Machines(
            positions=self.positions if self.goes_on else {}, transitions=self.transitions, moves=self.moves
        )

    def work(self) -> None:
        """The run does something."""
        self.alone = self.alone and inside.get()

    def begin(self, path: tuple[str, ...], events: int) -> bool:
        """A machine begins; whether the run may begin again while it is under way."""
        if inside.get():  # in a state of another machine, which a run that begins again does not enter again
            return False
        self.alone = self.alone and not path and not self.open and events == self.reached
        return self.alone

    def stood(self, machine: str) -> Position | None:
        """Where the machine stood in the run before.

        Raises:
            MachineInvalid: it begins where another one was.
        """
        position = self._before.pop(machine, None)
        if position is None and self._before:
            first, stood = next(iter(self._before.items()))
            raise MachineInvalid(
                f"machine {machine} begins where {first} stood in {stood.state!r}: keep the name of a machine, and "
                "what comes before it, as long as runs are under way"
            )
        return position

    def named(self, path: tuple[str, ...], name: str) -> str:
        """The name of the next machine of that class here: the same in a run that begins again."""
        key = "/".join((*path, name))
        self._names[key] = self._names.get(key, 0) + 1
        return key if self._names[key] == 1 else f"{key}#{self._names[key]}"

    def move(self, machine: str, source: str | None, target: str, at: datetime) -> None:
        """Record a transition."""
        transition = Transition(machine=machine, source=source, target=target, at=at)
        kept = (*self.transitions, transition)
        if len(kept) > TRANSITIONS:
            last = {one.machine: number for number, one in enumerate(kept)}  # where each machine stands stays known
            gone = next((number for number, one in enumerate(kept) if last[one.machine] != number), 0)
            kept = kept[:gone] + kept[gone + 1 :]
        self.transitions = kept
        self.moves += 1

    def way(self, machine: str) -> list[str]:
        """The states that a machine has been in, the last ones."""
        return [one.target for one in self.transitions if one.machine == machine]
