"""Strings of a JSON schema format: from the input if it has one, else a minimal valid one."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from llmflow.errors import RequestRejected

_DAY = r"\d{4}-\d\d-\d\d"
_CLOCK = r"\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_FORMATS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "date": (rf"\b{_DAY}\b", "1970-01-01"),
        "date-time": (rf"\b{_DAY}T{_CLOCK}", "1970-01-01T00:00:00Z"),
        "time": (rf"\b{_CLOCK}", "00:00:00Z"),
        "duration": (r"\bP(?:\d+D)?T(?:\d+[HMS])+\b", "PT0S"),
        "email": (r"\b[\w.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b", "nobody@example.com"),
        "hostname": (r"\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b", "example.com"),
        "ipv4": (r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b", "0.0.0.0"),
        "ipv6": (r"(?!)", "::"),
        "uri": (r"\bhttps?://[^\s<>\"'`)\]]+[^\s<>\"'`)\].,;:!?]", "https://example.com/"),
        "uuid": (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "00000000-0000-0000-0000-000000000000"),
    }
)


def of_format(name: str, text: str) -> str | None:
    """Return the text's first string of a format, else a minimal one; `None` for a format without restrictions."""
    if name not in _FORMATS:
        return None
    pattern, plainest = _FORMATS[name]
    found = (match.group() for match in re.finditer(pattern, text))
    return next((value for value in found if _exists(name, value)), plainest)


def _exists(name: str, value: str) -> bool:
    if name not in ("date", "date-time"):
        return True
    try:
        _ = date.fromisoformat(value) if name == "date" else datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def of_pattern(pattern: str, *texts: str) -> str:
    """Return the first text, word or part of a text that fits a pattern.

    Raises:
        RequestRejected: nothing fits, and there is no model to invent a string.
    """
    try:
        fits = re.compile(pattern)
        inner = re.compile(pattern.removeprefix("^").removesuffix("$"))
    except re.error as error:
        raise RequestRejected(f"the output schema's pattern {pattern!r} does not compile: {error}") from None
    for text in texts:
        for value in (text, *text.split(), *(match.group() for match in inner.finditer(text))):
            if value and fits.search(value):
                return value
    raise RequestRejected(
        f"the output schema needs a string of the pattern {pattern!r}, but no part of the input fits: the offline "
        "provider only copies. Use a real model, or drop the pattern for this test"
    )
