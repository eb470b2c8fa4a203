"""The worker of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmflow.types.wire import calls_queue


@dataclass(frozen=True, kw_only=True)
class Host:
    """Facts about the worker that executes a run. Another worker may replay it, so no event may depend on them."""

    apps: Mapping[str | None, str] = field(default_factory=dict[str | None, str])
    """Names of its Apps by workflow type; `None` is a dynamic workflow."""
    tools: frozenset[str] = frozenset()
    """Names of the tools of its Apps, whose activities are on the task queue of calls."""
    serves_calls: bool = False
    """True if it serves llmflow's calls on its own task queue, where Temporal starts them eagerly."""
    stored_from: int | None = None
    """Size in bytes from which its external storage takes a value; `None` without storage."""

    def calls_queue(self, task_queue: str) -> str:
        """Return the task queue of llmflow's calls, for workflows of a task queue."""
        return task_queue if self.serves_calls else calls_queue(task_queue)
