"""Steps and addresses: the named parts of a run, and the addresses of its calls."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from temporalio import workflow

from llmflow.flow.run.part import Part
from llmflow.flow.run.scope import label, path
from llmflow.types.addresses import around, joined, numbered, prefixes, repeated, unbranched
from llmflow.types.base import changed
from llmflow.types.carried import Carried
from llmflow.types.steps import StepRecord, causes_in_words
from llmflow.types.texts import markdown
from llmflow.types.usage import Totals

CARRIED_STEPS = 500
"""Step records to carry over continue-as-new, the latest ones. Each has some 280 bytes in the header."""
CARRIED_ERROR = 200
"""Characters of a step's error to carry over."""
CARRIED_NAMES = 5_000
"""Names whose numbering is carried over, those that were used last."""


class Steps(Part):
    """Step records by path, and the number of uses of each name in its place."""

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
        for step in self._records.values():
            if step.status == "running":
                yield f"- **{markdown(_progress(step))}**"
                yield from (f"  - {markdown(one.title)}: {markdown(one.error)}" for one in step.failures)

    def record(self, path: str) -> StepRecord:
        """Return the current record of a step."""
        return self._records[path]

    def is_any_open(self) -> bool:
        """Return True while a step is running."""
        return any(step.status == "running" for step in self._records.values())

    def enter(self, name: str, at: datetime, total: int | None) -> tuple[str, ...]:
        """Open a step and return its path; its last name is `name` at first, then `name#2`."""
        here = (*path.get(), repeated(name, self._count(f"step {name}")))
        record = StepRecord(path=joined(here), status="running", started_at=at, total=total, label=label.get())
        self._records[record.path] = record
        return here

    def change(self, path: str, **changes: object) -> None:
        """Change fields of a record."""
        self._records[path] = changed(self._records[path], **changes)

    def spend(self, totals: Totals) -> None:
        """Add usage to the open steps."""
        for address in prefixes(path.get()):
            if step := self._records.get(address) or self._records.get(unbranched(address)):
                self.change(step.path, usage=step.usage + totals)

    def address(self, name: str) -> str:
        """Return the address of the next activity of a name here, such as `write/complete#1`."""
        return joined((*path.get(), numbered(name, self._count(name))))

    def address_of_child(self, workflow_type: str) -> str:
        """Return the address of the next child workflow of a type here, such as `chapter[3]/Write#1`."""
        return joined((*path.get(), numbered(workflow_type, self._count(f"child {workflow_type}"))))

    def _count(self, name: str) -> int:
        key = joined((*path.get(), name))
        self._names[key] = self._names.pop(key, 0) + 1  # moved to the end: the first ones are the oldest
        return self._names[key]


def carried_steps(steps: Iterable[StepRecord], here: tuple[str, ...], now: datetime) -> tuple[StepRecord, ...]:
    """Return the step records to carry over continue-as-new. The new run starts outside of all steps.

    Open steps around the calling code are completed; other open steps are cancelled.
    """
    ended = set(prefixes(here))
    closed: list[StepRecord] = []
    for step in list(steps)[-CARRIED_STEPS:]:
        changes: dict[str, object] = {"error": step.error[:CARRIED_ERROR]} if step.error else {}
        if step.failures:
            changes["failures"] = ()  # their number by cause stays
        if step.status == "running":
            changes = {"status": "completed" if step.path in ended else "cancelled", "ended_at": now}
        closed.append(changed(step, **changes))
    return tuple(closed)


def carried_names(names: Mapping[str, int], steps: Mapping[str, StepRecord]) -> dict[str, int]:
    """Return the numbering to carry over, so that the new run repeats no address.

    Names inside a step are left out: the step's own name is numbered, so its path never recurs.
    """
    needed = [(name, count) for name, count in names.items() if not _within(name, steps)]
    return dict(needed[-CARRIED_NAMES:])


def _within(name: str, steps: Mapping[str, StepRecord]) -> bool:
    outermost = next(around(name), None)
    return outermost is not None and (outermost in steps or unbranched(outermost) in steps)


def _progress(step: StepRecord) -> str:
    causes = f" ({causes_in_words(step.causes)})" if step.causes else ""
    failed = f", {step.failed} failed{causes}" if step.failed else ""
    return step.path if step.total is None else f"{step.path}: {step.done or 0} of {step.total}{failed}"
