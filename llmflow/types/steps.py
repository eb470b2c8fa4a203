"""Steps: the named, recorded parts of a run."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from llmflow.types.base import Wire
from llmflow.types.machines import Transition
from llmflow.types.usage import Totals

__all__ = [
    "Compensation",
    "CompensationStatus",
    "ItemFailure",
    "StepRecord",
    "StepReport",
    "StepStatus",
    "Wait",
    "causes_in_words",
]

StepStatus = Literal["running", "completed", "failed", "cancelled"]


class ItemFailure(Wire):
    """One failed item of a fan-out."""

    index: int
    """Index of the item, from 0."""
    label: str | None = None
    """Label of the item, if the fan-out has labels."""
    error: str
    """Class and message of its error."""

    @property
    def title(self) -> str:
        """Label and number of the item, for people: `C-1042 [3]`."""
        return f"{self.label} [{self.index}]" if self.label else f"[{self.index}]"


def causes_in_words(causes: Mapping[str, int]) -> str:
    """Write the number of failures by class: `9 BudgetExceeded, 2 ToolRefused`."""
    return ", ".join(f"{count:,} {name}" for name, count in causes.items())


class StepRecord(Wire):
    """One step in the result of the query `llmflow.steps`."""

    path: str
    """Names from the outermost step inwards, such as `write/check#2`."""
    status: StepStatus
    started_at: datetime
    ended_at: datetime | None = None
    done: int | None = None
    """Units of work finished, where the step counts them."""
    total: int | None = None
    """Units of work expected, where the step knows."""
    failed: int = 0
    """Finished units that failed."""
    failures: tuple[ItemFailure, ...] = ()
    """The first failed items of a fan-out."""
    causes: Mapping[str, int] = {}
    """Number of failed items by class of their error, the most frequent first."""
    label: str | None = None
    """Label of the fan-out's item that the step is for."""
    error: str | None = None
    """Class and message of the error that failed the step."""
    usage: Totals = Totals()
    """Totals of its calls, nested steps included."""


class Wait(Wire):
    """A call that llmflow held back and will retry after a timer; no activity runs meanwhile."""

    path: str
    """The step of the call; empty outside of steps."""
    reason: str
    """Class and message of the refusal."""
    until: datetime


UNDO = "undo"
"""The step in which a saga compensates the step around it: `book/undo/cancel#1`."""
CompensationStatus = Literal["ready", "undoing", "undone", "failed", "not needed"]


class Compensation(Wire):
    """The compensation of one action of a saga."""

    name: str
    """Name of the compensating tool or function."""
    path: str
    """The saga's step that it compensates."""
    key: str
    """Idempotency key of the action and of its compensation."""
    status: CompensationStatus
    error: str | None = None
    """Class and message of the last failure."""


class StepReport(Wire):
    """Steps of a run in the order of their start, with its waits, compensations and transitions."""

    steps: tuple[StepRecord, ...] = ()
    waits: tuple[Wait, ...] = ()
    compensations: tuple[Compensation, ...] = ()
    """Compensations in the order of their registration."""
    transitions: tuple[Transition, ...] = ()
    """The latest transitions of state machines."""
    moves: int = 0
    """Number of all transitions so far."""
