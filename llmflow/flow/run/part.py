"""What all parts of a run have in common."""

from collections.abc import Iterable, Mapping
from typing import Any

from llmflow.types.carried import Carried
from llmflow.types.contracts import Header

AnyHeader = Header[Any]  # Any: values of several types


class Part:
    """The state of one feature in one run. Other modules call a part's methods, and never change its fields.

    A part overrides what its feature needs.
    """

    def answer(self) -> None:
        """Register the queries, updates and signals that the part answers."""

    def restore(self, carried: Carried) -> None:
        """Restore the state that the start of the run carries, before any code of the user runs."""

    def for_next(self) -> Mapping[str, object]:
        """State to carry over continue-as-new: fields of `Carried`."""
        return {}

    def for_child(self, place: str) -> Mapping[str, object]:
        """State for a child workflow that is started at `place`: fields of `Carried`."""
        return {}

    def for_activity(self, activity_id: str | None, *, is_local: bool) -> Mapping[AnyHeader, object]:
        """Headers of an activity, with their values."""
        return {}

    def report(self) -> Mapping[str, object]:
        """Fields of the `StepReport` that the query `llmflow.steps` answers."""
        return {}

    def page(self) -> Iterable[str]:
        """Lines of Markdown for the page of the run in the Web UI."""
        return ()
