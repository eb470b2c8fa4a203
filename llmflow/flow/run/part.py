"""The base class of the parts of a run."""

from collections.abc import Iterable, Mapping
from typing import Any

from llmflow.types.carried import Carried
from llmflow.types.contracts import Header

AnyHeader = Header[Any]  # Any: values of several types


class Part:
    """State of one feature in one run. Other modules call a part's methods and never change its fields.

    A part overrides the methods that its feature needs.
    """

    def answer(self) -> None:
        """Register the part's query, update and signal handlers."""

    def restore(self, carried: Carried) -> None:
        """Restore carried state, before any user code runs."""

    def for_next(self) -> Mapping[str, object]:
        """Return state to carry over continue-as-new: fields of `Carried`."""
        return {}

    def for_child(self, place: str) -> Mapping[str, object]:
        """Return state for a child workflow started at `place`: fields of `Carried`."""
        return {}

    def for_activity(self, activity_id: str | None, type: str, *, is_local: bool) -> Mapping[AnyHeader, object]:
        """Return headers of an activity, with their values."""
        return {}

    def report(self) -> Mapping[str, object]:
        """Return fields of the `StepReport`, the result of the query `llmflow.steps`."""
        return {}

    def page(self) -> Iterable[str]:
        """Return Markdown lines for the page of the run in the Web UI."""
        return ()
