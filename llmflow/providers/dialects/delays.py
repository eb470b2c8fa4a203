"""Delays that vendors request."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from llmflow.providers.jitter import lengthened

LONGEST_WAIT = 600.0
"""Upper limit of a requested delay, in seconds."""

_SENTENCE = re.compile(
    r"\b(?:try again|retry|wait|available|reset\w*)\b[^.\d]{0,30}?((?:\d+(?:\.\d+)?\s*[a-z]+\s*)+)", re.I
)
"""OpenAI: `try again in 1.5s`; Groq: `in 7m12.5s`; Gemini: `Please retry in 34.07s`; Azure: `after 6 seconds`"""
_LENGTH = re.compile(
    r"(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)(?![a-z])", re.I
)
_FIELDS = (("retry_after_ms", 0.001), ("retry_after", 1.0), ("retry_after_seconds", 1.0), ("retryDelay", 1.0))


def requested_delay(headers: Mapping[str, str], said: float | None = None) -> float | None:
    """Read the requested delay in seconds, capped, with jitter; `None` without one.

    Args:
        headers: Headers of the vendor's answer. They win.
        said: Seconds that its body asks to wait.
    """
    after = headers.get("retry-after", "")
    for asked in (_seconds(headers.get("retry-after-ms", ""), per_second=1000), _seconds(after), _until(after), said):
        if asked is not None:
            return min(lengthened(asked), LONGEST_WAIT)
    return None


def delay_in(message: str, *fields: Mapping[str, object]) -> float | None:
    """Find a delay in an error's body, in seconds: in a field, such as Google's `retryDelay`, or in its message."""
    for said in fields:
        for name, unit in _FIELDS:
            if (asked := _length(said.get(name), unit)) is not None:
                return asked
    sentence = _SENTENCE.search(message)
    return _length(sentence[1], 1.0) if sentence else None


def _length(value: object, unit: float) -> float | None:
    """Read `1.5`, `1.5s`, `7m12.5s` or `20 seconds`."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if (plain := _seconds(str(value))) is not None:
        return plain * unit
    lengths = [float(number) * _unit(name) for number, name in _LENGTH.findall(str(value))]
    return sum(lengths) if lengths else None


def _unit(name: str) -> float:
    name = name.lower()
    return 0.001 if name.startswith(("ms", "milli")) else {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}[name[0]]


def _seconds(value: str, per_second: int = 1) -> float | None:
    try:
        seconds = float(value) / per_second
    except ValueError:
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _until(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
