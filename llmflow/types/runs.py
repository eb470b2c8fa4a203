"""Runs, as a client sees them."""

from datetime import datetime
from typing import Literal

from llmflow.types.approvals import Waiting
from llmflow.types.base import Wire
from llmflow.types.budgets import Budget
from llmflow.types.forks import Stopped

__all__ = ["Inbox", "InboxItem", "PendingCall", "PendingChild", "RunPage", "RunState", "RunStatus"]

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
    task_queue: str | None = None
    """Its task queue; `None` if the server does not tell."""
    running: bool = False
    """True while a worker executes it."""


class PendingChild(Wire):
    """A child workflow that is open."""

    id: str
    """Its workflow id."""
    run_id: str
    workflow: str


class RunStatus(Wire):
    """Status of a run as the Temporal server knows it; no worker is needed."""

    id: str
    run_id: str
    workflow: str
    state: RunState
    paused: bool = False
    """True if Temporal itself has paused it (`temporal workflow pause`); its state is `running`."""
    task_queue: str
    started_at: datetime
    begins_at: datetime | None = None
    """Time of its first workflow task, if it was started with a delay."""
    closed_at: datetime | None = None
    parent: str | None = None
    """Id of the run that started it as a child."""
    forked_from: str | None = None
    """Id of the run that it was forked from."""
    events: int
    """Events in its history."""
    history_bytes: int = 0
    """Size of its history; 0 in a list, which Temporal returns without it."""
    tags: tuple[str, ...] = ()
    tenant: str | None = None
    user: str | None = None
    budget: Budget | None = None
    """Budget of the run and its children, if it was started with one."""
    approvals: tuple[Waiting, ...] = ()
    """Open questions."""
    pending: tuple[PendingCall, ...] = ()
    """Pending activities; empty in a list, which Temporal returns without them."""
    children: tuple[PendingChild, ...] = ()
    """Open child workflows; empty in a list."""
    stopped: Stopped | None = None
    """The call before which a fork stopped."""
    stuck: str | None = None
    """The workflow task failure that blocks the run, such as `KeyError: 'x'`; `None` in a list."""
    stuck_at: str | None = None
    """Its last place in the user's code, such as `/srv/claims.py:9 in run`."""
    unreadable: str | None = None
    """Reason why tags, tenant, user, budget or approvals cannot be decoded here, and are missing above."""

    @property
    def bug(self) -> str | None:
        """Return `stuck` with its place."""
        return f"{self.stuck} ({self.stuck_at})" if self.stuck and self.stuck_at else self.stuck


class RunPage(Wire):
    """A page of runs, newest first."""

    runs: tuple[RunStatus, ...]
    cursor: str | None = None
    """Cursor for the next `list` call; `None` on the last page."""


class InboxItem(Wire):
    """An open question of a run; no worker is needed to read it."""

    run: str
    """Id of the run."""
    run_id: str
    workflow: str
    waiting: Waiting
    tenant: str | None = None
    tags: tuple[str, ...] = ()
    forked_from: str | None = None
    """Id of the run that it was forked from."""


class Inbox(Wire):
    """Open questions of all runs, and the runs whose questions cannot be decoded here."""

    items: tuple[InboxItem, ...] = ()
    """The oldest first."""
    unreadable: tuple[str, ...] = ()
    """Ids of runs with questions that a codec has encoded, which this client lacks or which has another key."""
    reason: str | None = None
    """Reason of the first one."""
