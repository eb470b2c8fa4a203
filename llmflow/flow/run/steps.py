"""Steps and addresses: the named parts of a run, and the names of its calls in them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from temporalio import workflow

from llmflow.flow.run.part import Part
from llmflow.flow.run.scope import path
from llmflow.types.addresses import around, joined, numbered, prefixes, repeated, unbranched
from llmflow.types.carried import Carried
from llmflow.types.steps import StepRecord
from llmflow.types.usage import Totals

CARRIED_STEPS = 500
"""Records of steps that a continued run keeps, the newest ones. Each is some 280 bytes in the header of its start."""
CARRIED_ERROR = 200
"""Characters of a step's error that a continued run keeps."""
CARRIED_NAMES = 5_000
"""Names whose numbers go on in a continued run, those that were used last."""


class Steps(Part):
    """Records of steps by path, and how often each name was used in its place."""

    def __init__(self) -> None:
        self._records: dict[str, StepRecord] = {}
        self._names: dict[str, int] = {}

    def restore(self, carried: Carried) -> None:
        """See base class."""
        self._records = {one.path: one for one in carried.steps}
        self._names = dict(carried.names)

    def for_next(self) -> Mapping[str, object]:
        """See base class."""
        return {
            "steps": carried_steps(self._records.values(), path.get(), workflow.now()),
            "names": carried_names(self._names, self._records),
        }

    def report(self) -> Mapping[str, object]:
        """See base class."""
        return {"steps": tuple(self._records.values())}

    def page(self) -> Iterator[str]:
        """See base class."""
        return (f"- **{_progress(step)}**" for step in self._records.values() if step.status == "running")

    def record(self, path: str) -> StepRecord:
        """A step as it stands."""
        return self._records[path]

    def is_any_open(self) -> bool:
        """True while a step is running."""
        return any(step.status == "running" for step in self._records.values())

    def enter(self, name: str, at: datetime, total: int | None) -> tuple[str, ...]:
        """Begin a step: its path, `name` the first time here and `name#2` the second."""
        here = (*path.get(), repeated(name, self._count(f"step {name}")))
        record = StepRecord(path=joined(here), status="running", started_at=at, total=total)
        self._records[record.path] = record
        return here

    def change(self, path: str, **changes: object) -> None:
        """Change fields of a record."""
        self._records[path] = self._records[path].model_copy(update=changes)

    def spend(self, totals: Totals) -> None:
        """Add to the usage of the steps that are open here."""
        for address in prefixes(path.get()):
            if step := self._records.get(address) or self._records.get(unbranched(address)):
                self.change(step.path, usage=step.usage + totals)

    def address(self, name: str) -> str:
        """The address of the next activity of that name here, such as `write/complete#1`."""
        return joined((*path.get(), numbered(name, self._count(name))))

    def address_of_child(self, workflow_type: str) -> str:
        """The address of the next child workflow of that type here, such as `chapter[3]/Write#1`."""
        return joined((*path.get(), numbered(workflow_type, self._count(f"child {workflow_type}"))))

    def _count(self, name: str) -> int:
        key = joined((*path.get(), name))
        self._names[key] = self._names.pop(key, 0) + 1  # at the end again: the first ones are the oldest
        return self._names[key]


def carried_steps(steps: Iterable[StepRecord], here: tuple[str, ...], now: datetime) -> tuple[StepRecord, ...]:
    """Records for the run that continues, which begins outside of all steps.

    Those around the place where the run ends have done their work; others that are still open are given up with it.
    """
    ended = set(prefixes(here))
    closed: list[StepRecord] = []
    for step in list(steps)[-CARRIED_STEPS:]:
        changes: dict[str, object] = {"error": step.error[:CARRIED_ERROR]} if step.error else {}
        if step.status == "running":
            changes = {"status": "completed" if step.path in ended else "cancelled", "ended_at": now}
        closed.append(step.model_copy(update=changes))
    return tuple(closed)


def carried_names(names: Mapping[str, int], steps: Mapping[str, StepRecord]) -> dict[str, int]:
    """Numbers for the run that continues, so that it makes no address a second time.

    Those inside a step are not needed: its own name has a number, and nobody enters it again.
    """
    needed = [(name, count) for name, count in names.items() if not _within(name, steps)]
    return dict(needed[-CARRIED_NAMES:])


def _within(name: str, steps: Mapping[str, StepRecord]) -> bool:
    outermost = next(around(name), None)
    return outermost is not None and (outermost in steps or unbranched(outermost) in steps)


def _progress(step: StepRecord) -> str:
    failed = f", {step.failed} failed" if step.failed else ""
    return step.path if step.total is None else f"{step.path}: {step.done or 0} of {step.total}{failed}"
