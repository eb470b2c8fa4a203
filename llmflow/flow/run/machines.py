"""Machines: where each state machine of a run stands, and how it came there."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from llmflow.errors import MachineInvalid
from llmflow.flow.run.part import Part
from llmflow.types.addresses import joined, repeated
from llmflow.types.carried import Carried
from llmflow.types.machines import Machines, Position, Transition, ways

TRANSITIONS = 200
"""How many are kept; the number of all is kept, too."""

SHOWN = 3
"""State machines on the page of a run: the newest ones."""

inside: ContextVar[bool] = ContextVar("llmflow_machine", default=False)
"""True in code that a machine runs."""


class MachineRecord(Part):
    """What one run knows of its machines."""

    def __init__(self) -> None:
        self._positions: dict[str, Position] = {}
        """By machine, of those that a run which begins again finds where they were."""
        self._transitions: tuple[Transition, ...] = ()
        """The last ones."""
        self._moves = 0
        """How many there were in all."""
        self._is_alone = True
        """True if machines, run one after another, are the only thing this run did. Any other work would be repeated by
        continue-as-new."""
        self._open = 0
        """Machines that are running."""
        self._events = 0
        """Of the history when the last machine ended: when there are more, the run has awaited something."""
        self._goes_on = False
        """True while a machine itself continues the run as new. Any other continue-as-new starts machines from
        scratch."""
        self._names: dict[str, int] = {}
        self._before: dict[str, Position] = {}
        """Where machines stood in the run before, which have not begun again yet."""

    def restore(self, carried: Carried) -> None:
        """See base class."""
        before = carried.machines
        self._positions, self._transitions, self._moves = dict(before.positions), before.transitions, before.moves
        self._before = dict(before.positions)

    def for_next(self) -> Mapping[str, object]:
        """See base class."""
        positions = self._positions if self._goes_on else {}
        return {"machines": Machines(positions=positions, transitions=self._transitions, moves=self._moves)}

    def report(self) -> Mapping[str, object]:
        """See base class."""
        return {"transitions": self._transitions, "moves": self._moves}

    def page(self) -> Iterator[str]:
        """See base class."""
        return (f"- {way}" for way in ways(self._transitions)[-SHOWN:])

    def start(self, events: int) -> None:
        """The run starts, with so many events in its history."""
        self._events = events

    def work(self) -> None:
        """The run does something."""
        self._is_alone = self._is_alone and inside.get()

    def begin(self, path: tuple[str, ...], events: int) -> bool:
        """A machine begins; true if it may continue the run as new."""
        if inside.get():  # in a state of another machine, which a run that begins again does not enter again
            return False
        self._is_alone = self._is_alone and not path and not self._open and events == self._events
        return self._is_alone

    @contextmanager
    def running(self) -> Generator[None]:
        """A machine runs."""
        around = inside.get()
        self._open += 1
        inside.set(True)
        try:
            yield
        finally:
            inside.set(around)
            self._open -= 1

    def stand(self, machine: str, position: Position) -> None:
        """Keep where a machine stands, for the run that continues this one."""
        self._positions[machine] = position

    def end(self, events: int) -> None:
        """A machine that might have continued the run as new has ended, at so many events of the history."""
        self._events = events

    def may_go_on(self) -> bool:
        """True if the run may be continued as new: nothing would be repeated."""
        return self._is_alone

    def go_on(self) -> None:
        """A machine continues the run as new."""
        self._goes_on = True

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
        key = joined((*path, name))
        self._names[key] = self._names.get(key, 0) + 1
        return repeated(key, self._names[key])

    def move(self, machine: str, source: str | None, target: str, at: datetime) -> None:
        """Record a transition."""
        transition = Transition(machine=machine, source=source, target=target, at=at)
        kept = (*self._transitions, transition)
        if len(kept) > TRANSITIONS:
            last = {one.machine: number for number, one in enumerate(kept)}  # where each machine stands stays known
            gone = next((number for number, one in enumerate(kept) if last[one.machine] != number), 0)
            kept = kept[:gone] + kept[gone + 1 :]
        self._transitions = kept
        self._moves += 1

    def way(self, machine: str) -> list[str]:
        """The states that a machine has been in, the last ones."""
        return [one.target for one in self._transitions if one.machine == machine]
