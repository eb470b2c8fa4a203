"""Branches: tasks of a run that have work of llmflow's open."""

from collections.abc import Generator
from contextlib import contextmanager

from llmflow.flow.run.part import Part
from llmflow.flow.run.scope import AnyTask, this_task


class Branches(Part):
    """Tasks with calls, batches or sagas open, once for each. The run closes after them."""

    def __init__(self) -> None:
        self._busy: list[AnyTask] = []

    @contextmanager
    def working(self) -> Generator[None]:
        """The calling task has something open."""
        task = self.begin()
        try:
            yield
        finally:
            self.end(task)

    def begin(self) -> AnyTask:
        """The calling task opens something; give the task back to `end`."""
        task = this_task()
        self._busy.append(task)
        return task

    def end(self, task: AnyTask) -> None:
        """It is closed."""
        self._busy.remove(task)

    def open(self) -> list[AnyTask]:
        """All that have something open, but for the calling task, which cannot await itself."""
        # It has a saga open in a generator that it did not go on with.
        return [task for task in dict.fromkeys(self._busy) if task is not this_task()]
