"""Branches: tasks of a run with open work of llmflow."""

from collections.abc import Generator
from contextlib import contextmanager

from llmflow.flow.run.part import Part
from llmflow.flow.run.scope import AnyTask, this_task


class Branches(Part):
    """Tasks with open calls, batches or sagas, listed once for each. The run closes after them."""

    def __init__(self) -> None:
        self._busy: list[AnyTask] = []

    @contextmanager
    def working(self) -> Generator[None]:
        """Register work of the calling task while it is open."""
        task = self.begin()
        try:
            yield
        finally:
            self.end(task)

    def begin(self) -> AnyTask:
        """Register the calling task and return it, for `end`."""
        task = this_task()
        self._busy.append(task)
        return task

    def end(self, task: AnyTask) -> None:
        """Unregister the task once."""
        self._busy.remove(task)

    def open(self) -> list[AnyTask]:
        """Return the tasks with open work, without the calling task, which cannot await itself."""
        # The calling task is listed if it left a saga open in a generator that it did not exhaust.
        return [task for task in dict.fromkeys(self._busy) if task is not this_task()]
