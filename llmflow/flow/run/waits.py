"""Waits: pauses of a run before a retry."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager

from llmflow.flow.run.part import Part
from llmflow.types.steps import Wait
from llmflow.types.texts import markdown


class Waits(Part):
    """Open pauses, in order."""

    def __init__(self) -> None:
        self._waits: list[Wait] = []

    def report(self) -> Mapping[str, object]:
        """See base class."""
        return {"waits": tuple(self._waits)}

    def page(self) -> Iterator[str]:
        """See base class."""
        return (f"- waits until {wait.until:%H:%M:%S} UTC: {markdown(wait.reason)}" for wait in self._waits)

    @contextmanager
    def waiting(self, wait: Wait) -> Generator[None]:
        """Register a pause while it lasts."""
        self._waits.append(wait)
        try:
            yield
        finally:
            self._waits.remove(wait)

    def count(self) -> int:
        """Return the number of open pauses."""
        return len(self._waits)
