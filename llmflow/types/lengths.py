"""Lengths of time, for people."""

from datetime import timedelta

_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))


def length_of(length: timedelta) -> str:
    """Such as `3 d` or `1 h 30 min`."""
    parts: list[str] = []
    for unit, size in _UNITS:
        count, length = divmod(length, size)
        parts += [f"{count} {unit}"] if count else []
    if length:
        parts.append(f"{length.total_seconds():g} s")
    return " ".join(parts)
