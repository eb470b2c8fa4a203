"""Origin of a call: facts about its run for the ledger, limits and rollouts."""

from llmflow.types.base import CompactWire
from llmflow.types.budgets import Budget


class Origin(CompactWire):
    """Tenant, user, tags and budget of a run, given at its start and inherited by children and continue-as-new runs.

    It is small on the wire, because every call of the run carries it.
    """

    root: str | None = None
    """Workflow id of the root run; `None` in the root run itself."""
    tenant: str | None = None
    """Tenant for limits, fairness and billing."""
    user: str | None = None
    """User for whom the run works; a rollout may be sticky by user."""
    tags: tuple[str, ...] = ()
    budget: Budget | None = None
    item: str | None = None
    """Label of the fan-out's item for which a call is made."""
    fork_of: str | None = None
    """Workflow id of the run that the root run is a fork of."""
    workflow: str | None = None
    """Type of the workflow that fans out, for a batch of its items."""
