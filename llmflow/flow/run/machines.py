"""Machines: positions and transitions of a run's state machines."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from llmflow.flow.run.part import Part
from llmflow.types.addresses import joined, repeated
from llmflow.types.carried import Carried
from llmflow.types.machines import Machines, Position, Transition, ways
from llmflow.types.texts import markdown

TRANSITIONS = 200
"""Transitions that are kept, beside the number of all."""

SHOWN = 3
"""State machines on the page of a run: the latest ones."""

inside: ContextVar[bool] = ContextVar("llmflow_machine", default=False)
"""True in code that runs inside a machine."""


class MachineRecord(Part):
    """Positions and transitions of a run's machines."""

    def __init__(self) -> None:
        self._positions: dict[str, Position] = {}
        """Positions by machine, for the machines that continue-as-new resumes."""
        self._transitions: tuple[Transition, ...] = ()
        """The latest transitions."""
        self._moves = 0
        """Number of all transitions."""
        self._is_alone = True
        """True if machines, run one after another, are the only thing this run did. Continue-as-new would repeat other
        work."""
        self._open = 0
        """Number of running machines."""
        self._events = 0
        """Length of the history when the last machine ended. If it grew since, the run awaited something."""
        self._continues = False
        """True while a machine itself continues the run as new. Any other continue-as-new starts machines from
        scratch."""
        self._names: dict[str, int] = {}
        self._before: dict[str, Position] = {}
        """Restored positions of machines that have not started yet."""

    def restore(self, carried: Carried) -> None:
        """See base class."""
        before = carried.machines
        self._positions, self._transitions, self._moves = dict(before.positions), before.transitions, before.moves
        self._before = dict(before.positions)

    def for_next(self) -> Mapping[str, object]:
        """See base class."""
        positions = self._positions if self._continues else {}
        return {"machines": Machines(positions=positions, transitions=self._transitions, moves=self._moves)}

    def report(self) -> Mapping[str, object]:
        """See base class."""
        return {"transitions": self._transitions, "moves": self._moves}

    def page(self) -> Iterator[str]:
        """See base class."""
        return (f"- {markdown(way)}" for way in ways(self._transitions)[-SHOWN:])

    def start(self, events: int) -> None:
        """Note the length of the history at the start of the run."""
        self._events = events

    def work(self) -> None:
        """Note that the run does work."""
        self._is_alone = self._is_alone and inside.get()

    def begin(self, path: tuple[str, ...], events: int) -> bool:
        """Register a machine; return True if it may continue the run as new."""
        if inside.get():  # in a state of another machine, which the new run does not repeat
            return False
        self._is_alone = self._is_alone and not path and not self._open and events == self._events
        return self._is_alone

    @contextmanager
    def running(self) -> Generator[None]:
        """Count a running machine."""
        around = inside.get()
        self._open += 1
        inside.set(True)
        try:
            yield
        finally:
            inside.set(around)
            self._open -= 1

    def keep(self, machine: str, position: Position) -> None:
        """Record a machine's position, to carry over continue-as-new."""
        self._positions[machine] = position

    def end(self, events: int) -> None:
        """Note the length of the history at the end of a machine that could continue the run as new."""
        self._events = events

    def may_continue_as_new(self) -> bool:
        """Return True if the run may continue as new, because no work would be repeated."""
        return self._is_alone

    def continue_as_new(self) -> None:
        """Note that a machine continues the run as new."""
        self._continues = True

    def restored(self, machine: str) -> Position | None:
        """Return the machine's restored position, if there is one."""
        return self._before.pop(machine, None)

    def instead_of(self, machine: str) -> str | None:
        """Describe the machine that is to be resumed where another one starts; `None` if there is none."""
        if machine in self._before or not self._before:
            return None
        first, stood = next(iter(self._before.items()))
        return f"it starts where {first} should resume in state {stood.state!r}"

    def named(self, path: tuple[str, ...], name: str) -> str:
        """Name the next machine of a class at this address; continue-as-new runs repeat the name."""
        key = joined((*path, name))
        self._names[key] = self._names.get(key, 0) + 1
        return repeated(key, self._names[key])

    def move(self, machine: str, source: str | None, target: str, at: datetime) -> None:
        """Record a transition."""
        transition = Transition(machine=machine, source=source, target=target, at=at)
        kept = (*self._transitions, transition)
        if len(kept) > TRANSITIONS:
            last = {one.machine: number for number, one in enumerate(kept)}  # keep the position of each machine
            gone = next((number for number, one in enumerate(kept) if last[one.machine] != number), 0)
            kept = kept[:gone] + kept[gone + 1 :]
        self._transitions = kept
        self._moves += 1

    def way(self, machine: str) -> list[str]:
        """Return the latest states of a machine."""
        return [one.target for one in self._transitions if one.machine == machine]
