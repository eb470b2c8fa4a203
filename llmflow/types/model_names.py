"""Names of models: which of them mean the same model."""

import re

_SUFFIX = r"(?:20\d\d-?\d\d-?\d\d|\d\d-\d\d(?:\d\d)?|\d{3,4}|v\d+(?::\d+)?|latest|preview|exp|default)"
_SUFFIXES = re.compile(rf"(?:[-@:]{_SUFFIX})+$")
"""Dates and versions at the end of a name: `-2026-03-05`, `@20250929`, `-0709`, `-v1:0`, `-latest`."""


def stem(name: str) -> str:
    """Return a model's name without the path of a gateway and without its date."""
    return _SUFFIXES.sub("", name.lower().rpartition("/")[2])


def is_suffix(text: str) -> bool:
    """Return True if a text consists of dates and versions alone, or is empty."""
    return not text or _SUFFIXES.fullmatch(text) is not None


def are_same(one: str, other: str) -> bool:
    """Return True if two names differ only in a date, a gateway's path, or the prefix of a region (`eu.`)."""
    first, second = stem(one), stem(other)
    return first == second or first.endswith(f".{second}") or second.endswith(f".{first}")
