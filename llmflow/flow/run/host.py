"""The worker of a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from llmflow.types.events import RunEvent
from llmflow.types.wire import calls_queue


def tell_nobody(stream: str, event: RunEvent) -> None:
    """Drop a run event: a replayer, or a worker without a store, has no readers."""


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

    tell: Callable[[str, RunEvent], None] = tell_nobody
    """Takes run events, each with its stream, and returns at once. Nothing comes back, so no event depends on it."""

    def calls_queue(self, task_queue: str) -> str:
        """Return the task queue of llmflow's calls, for workflows of a task queue."""
        return task_queue if self.serves_calls else calls_queue(task_queue)
