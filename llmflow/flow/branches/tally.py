"""The tally of a fan-out: its outcomes, and the error if too many items failed."""

from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import Generic, TypeVar

from llmflow.errors import ErrorDetail, FanOutFailed, InputInvalid
from llmflow.flow.branches.branches import Outcome
from llmflow.flow.failures import class_of, described
from llmflow.flow.steps import Step
from llmflow.types.addresses import branched
from llmflow.types.batches import OnError
from llmflow.types.steps import causes_in_words

R = TypeVar("R")

FIRST_FAILURES = 10
"""Failures listed in an error."""


class Tally(Generic[R]):
    """Collects outcomes, and raises if too many items failed."""

    def __init__(self, name: str, count: int, on_error: OnError, min_success: int | float | None) -> None:
        """Configure; see `fan_out`.

        Raises:
            InputInvalid: `min_success` is invalid.
        """
        self.outcomes: dict[int, Outcome[R]] = {}
        self._name, self._count, self._on_error = name, count, on_error
        self._needed = _needed(count, on_error, min_success)
        self._failures: list[Outcome[R]] = []

    def add(self, outcome: Outcome[R]) -> None:
        """Add an outcome.

        Raises:
            Exception: the outcome's error, with `on_error="raise"`.
            FanOutFailed: too many items failed.
        """
        self.outcomes[outcome.index] = outcome
        if outcome.error is None:
            return
        if self._on_error == "raise":
            raise outcome.error
        self._failures.append(outcome)
        self._require_enough()

    def _require_enough(self) -> None:
        failed = len(self._failures)
        if not failed or self._count - failed >= self._needed:
            return
        raise failure(self._name, self._failures, f"of {self._count:,} items", f"but {self._needed:,} must succeed")


def failure(name: str, failed: Sequence[Outcome[R]], among: str, needed: str) -> FanOutFailed:
    """Make the error of a fan-out: the number of failures by class, and the first ones by item."""
    errors = [(one, one.error) for one in failed if one.error]
    causes = Counter(class_of(error) for _, error in errors)
    told = tuple(f"{_title(name, one)}: {described(error)}" for one, error in errors[:FIRST_FAILURES])
    found = FanOutFailed(
        f"{len(errors):,} {among} failed ({causes_in_words(dict(causes.most_common()))}), {needed}; {told[0]}",
        ErrorDetail(failures=told),
    )
    found.__cause__ = errors[0][1]
    return found


def _title(name: str, one: Outcome[R]) -> str:
    address = branched(name, one.index)
    return f"{address} {one.label}" if one.label else address


def _needed(count: int, on_error: OnError, min_success: int | float | None) -> int:
    """Convert `min_success` to a number of items."""
    if min_success is None:
        return 0
    is_share = isinstance(min_success, float)
    if min_success < 0 or (is_share and min_success > 1):
        problem = "give a number of items, or a share from 0.0 to 1.0"
    elif not is_share and min_success > count:
        problem = f"there are {count:,} items; write a share with a decimal point, such as 0.5"
    elif on_error == "raise":
        problem = 'it needs on_error="collect"; otherwise every item must succeed'
    else:
        # Rounded first, because 0.7 of 10 is a little more than 7.
        return ceil(round(min_success * count, 6)) if is_share else int(min_success)
    raise InputInvalid(f"min_success={min_success}: {problem}", ErrorDetail(field="min_success"))


def count(step: Step, outcome: Outcome[R]) -> None:
    """Show an outcome in the record of the fan-out's step."""
    if outcome.error is None:
        step.advance()
    else:
        step.fail(outcome.index, outcome.label, outcome.error)
