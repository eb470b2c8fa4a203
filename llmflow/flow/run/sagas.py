"""Sagas: the compensations of a run."""

from collections.abc import Iterator, Mapping

from llmflow.errors import InputInvalid
from llmflow.flow.run.part import Part
from llmflow.types.base import changed
from llmflow.types.steps import Compensation, CompensationStatus
from llmflow.types.texts import code, markdown


class Sagas(Part):
    """Compensations by key, in the order in which they were registered."""

    def __init__(self) -> None:
        self.is_undone = False
        """True after a saga compensated because of a bug: fixed code would not compensate, so it could not replay this
        history."""
        self._compensations: dict[str, Compensation] = {}

    def report(self) -> Mapping[str, object]:
        """See base class."""
        return {"compensations": tuple(self._compensations.values())}

    def page(self) -> Iterator[str]:
        """See base class."""
        return (f"- {_undoing(one)}" for one in self._compensations.values() if one.status in ("undoing", "failed"))

    def register(self, one: Compensation) -> None:
        """Add a compensation."""
        self._compensations[one.key] = one

    def record(self, key: str) -> Compensation:
        """Return the current record of a compensation."""
        return self._compensations[key]

    def note(self, key: str, status: CompensationStatus, error: str | None) -> None:
        """Record the status of a compensation; its last error stays."""
        record = self._compensations[key]
        self._compensations[key] = changed(record, status=status, error=error or record.error)

    def undo_for_a_bug(self) -> None:
        """Note that a saga compensates because of a bug."""
        self.is_undone = True

    def require_none(self, what: str) -> None:
        """Refuse to continue as new while a saga is open.

        Raises:
            InputInvalid: its compensations would be lost.
        """
        if pending := self.pending():
            raise InputInvalid(
                f"{what} inside a saga: the compensations of {', '.join(pending)} would be lost; call it after the"
                " block"
            )

    def pending(self) -> list[str]:
        """Return the paths of open compensations, which continue-as-new would lose."""
        return [one.path for one in self._compensations.values() if one.status in ("ready", "undoing")]


def _undoing(one: Compensation) -> str:
    what = "could not undo" if one.status == "failed" else "undoes"
    return f"{what} {markdown(one.path)} by {code(one.name)}" + (f": {markdown(one.error)}" if one.error else "")
