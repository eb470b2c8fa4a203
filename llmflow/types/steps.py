"""Steps: the named, recorded parts of a run."""

from datetime import datetime
from typing import Literal

from llmflow.types.base import Wire
from llmflow.types.machines import Transition
from llmflow.types.usage import Totals

__all__ = ["Compensation", "CompensationStatus", "StepRecord", "StepReport", "StepStatus", "Wait"]

StepStatus = Literal["running", "completed", "failed", "cancelled"]


class StepRecord(Wire):
    """One step, as the query `llmflow.steps` shows it."""

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
    """Of the units that are done, those that failed."""
    error: str | None = None
    """Class and message of what made the step fail."""
    usage: Totals = Totals()
    """Of its calls, and of those of the steps in it."""


class Wait(Wire):
    """A call that llmflow itself refused, and that is made again later: no activity runs for it meanwhile."""

    path: str
    """The step that it belongs to; empty outside of steps."""
    reason: str
    """Class and message of the refusal."""
    until: datetime


UNDO = "undo"
"""The step of a saga in which it undoes the step around it: `book/undo/cancel#1`."""
CompensationStatus = Literal["ready", "undoing", "undone", "failed", "not needed"]


class Compensation(Wire):
    """How one action of a saga is undone, or was."""

    name: str
    """Of the compensating tool or function."""
    path: str
    """The step of the saga that it undoes."""
    key: str
    """Idempotency key of the action and of its compensation."""
    status: CompensationStatus
    error: str | None = None
    """Class and message of its last failure."""


class StepReport(Wire):
    """All steps of a run in the order in which they began, and what it waits for by itself."""

    steps: tuple[StepRecord, ...] = ()
    waits: tuple[Wait, ...] = ()
    compensations: tuple[Compensation, ...] = ()
    """Of its sagas, in the order in which they were registered."""
    transitions: tuple[Transition, ...] = ()
    """Of its state machines, the last ones."""
    moves: int = 0
    """How many transitions there were in all."""
