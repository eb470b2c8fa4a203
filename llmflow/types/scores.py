"""Scores that workflow code gives, and what a score must be."""

import math

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.types.base import CompactWire

__all__: list[str] = []


class ScoreRequest(CompactWire):
    """Input of the activity that stores a score."""

    name: str
    value: float
    """Finite number, on one scale for all scores of the name."""
    comment: str | None = None
    address: str
    """Address of the score in its run, such as `evaluate/score#1`: the same when the activity is retried."""
    root: str | None = None
    """Workflow id of the root run; `None` in the root run itself."""


def check_score(name: str, value: float) -> None:
    """Check the name and the value of a score.

    Raises:
        InputInvalid: the name is empty, or the value is not a finite number.
    """
    if not name.strip():
        raise InputInvalid("a score needs a name of what it measures, such as `helpful`", ErrorDetail(field="name"))
    if not math.isfinite(value):
        raise InputInvalid(f"a score is a finite number, such as 0.9, not {value}", ErrorDetail(field="value"))
