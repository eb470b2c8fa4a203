"""Where a call comes from: what ledger, limits and rollouts know of its run."""

from llmflow.types.base import CompactWire
from llmflow.types.budgets import Budget


class Origin(CompactWire):
    """Who a run is for. Given at its start; children and continued runs inherit it.

    On the wire it is small, because every call of the run carries it.
    """

    root: str | None = None
    """Workflow id of the run that began the tree, where it is not the run itself."""
    tenant: str | None = None
    """Whose limits, fairness and bill it is."""
    user: str | None = None
    """Whom it works for; a rollout may be sticky by it."""
    tags: tuple[str, ...] = ()
    budget: Budget | None = None
    workflow: str | None = None
    """Type of the workflow that fans out, for a run that works on a batch of its items."""
