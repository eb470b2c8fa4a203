"""The worker of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Host:
    """Facts about the worker that executes a run. Another worker may replay it, so no event may depend on them."""

    apps: Mapping[str | None, str] = field(default_factory=dict[str | None, str])
    """Names of its Apps by workflow type; `None` is a dynamic workflow."""
    tools: frozenset[str] = frozenset()
    """Names of the tools of its Apps, whose activities are on the task queue of calls."""
    stored_from: int | None = None
    """Size in bytes from which its external storage takes a value; `None` without storage."""
