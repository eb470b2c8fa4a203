"""Durations: parsed and formatted for people."""

import re
from datetime import timedelta
from types import MappingProxyType

from llmflow.errors import InputInvalid

_LONGEST = timedelta(days=36_525)
"""A century: a longer duration is a mistake."""
_LETTERS = MappingProxyType(
    {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
)
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))


def length_of(length: timedelta) -> str:
    """Format a duration, such as `3 d` or `1 h 30 min`."""
    parts: list[str] = []
    for unit, size in _UNITS:
        count, length = divmod(length, size)
        parts += [f"{count} {unit}"] if count else []
    if length:
        parts.append(f"{length.total_seconds():g} s")
    return " ".join(parts)


def read_length(text: str) -> timedelta:
    """Parse a duration such as `30s`, `5m`, `2h` or `3d`.

    Raises:
        InputInvalid: the text is not a duration.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise InputInvalid(f"{text!r} is no duration: write a number and a unit, such as 30s, 5m, 2h or 3d")
    try:
        return float(found[1]) * _LETTERS[found[2]]
    except OverflowError:
        raise InputInvalid(f"{text!r} is longer than any calendar") from None


def length_problem(name: str, given: object) -> str | None:
    """Explain why an argument is not a valid duration, for an error message; `None` if it is one.

    Numbers are refused: a reader cannot see if they are seconds or minutes.
    """
    if not isinstance(given, timedelta):
        return f"{name}={given!r}: give a timedelta, such as `timedelta(minutes=5)`"
    if not timedelta(0) < given <= _LONGEST:
        return f"{name}={given}: give a time above 0 and up to 100 years"
    return None
