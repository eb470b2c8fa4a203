"""Runs, as a client sees them."""

from datetime import datetime
from typing import Literal

from llmflow.types.approvals import Waiting
from llmflow.types.base import Wire
from llmflow.types.budgets import Budget

__all__ = ["InboxItem", "PendingCall", "RunPage", "RunState", "RunStatus"]

RunState = Literal["running", "completed", "failed", "cancelled", "terminated", "continued_as_new", "timed_out"]


class PendingCall(Wire):
    """An activity that is scheduled or running now."""

    id: str
    """Such as `write/complete#1`."""
    type: str
    """Such as `llmflow.complete`."""
    attempt: int
    """Number of the attempt, from 1."""
    last_failure: str | None = None
    """Message of the attempt before this one."""


class RunStatus(Wire):
    """Where a run stands, as Temporal knows it. It is known without a worker."""

    id: str
    run_id: str
    workflow: str
    state: RunState
    task_queue: str
    started_at: datetime
    begins_at: datetime | None = None
    """When its code begins, where it was started with a delay."""
    closed_at: datetime | None = None
    events: int
    """Events in its history."""
    history_bytes: int = 0
    """Size of its history; 0 in a list, where Temporal does not say."""
    tags: tuple[str, ...] = ()
    tenant: str | None = None
    user: str | None = None
    budget: Budget | None = None
    """What it may cost with all its children, if it was started with one."""
    approvals: tuple[Waiting, ...] = ()
    """Questions that wait for people."""
    pending: tuple[PendingCall, ...] = ()
    """What it waits for now; empty in a list, where Temporal does not say."""
    stuck: str | None = None
    """The workflow task failure that blocks the run, such as `KeyError: 'x'`; `None` in a list."""


class RunPage(Wire):
    """Some runs, newest first."""

    runs: tuple[RunStatus, ...]
    cursor: str | None = None
    """Give it to the next `list` for the runs after these; `None` when there are no more."""


class InboxItem(Wire):
    """A question of a run that waits for somebody's decision. It is known without a worker."""

    run: str
    """Id of the run."""
    run_id: str
    workflow: str
    waiting: Waiting
    tenant: str | None = None
    tags: tuple[str, ...] = ()
