"""Steps: the named, recorded parts of a run."""

from datetime import datetime
from typing import Literal

from llmflow.types.wire import Wire

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
    error: str | None = None
    """Class and message of what made the step fail."""


class Wait(Wire):
    """A call that llmflow itself refused, and that is made again later: no activity runs for it meanwhile."""

    path: str
    """The step that it belongs to; empty outside of steps."""
    reason: str
    """Class and message of the refusal."""
    until: datetime


class StepReport(Wire):
    """All steps of a run in the order in which they began, and what it waits for by itself."""

    steps: tuple[StepRecord, ...] = ()
    waits: tuple[Wait, ...] = ()
