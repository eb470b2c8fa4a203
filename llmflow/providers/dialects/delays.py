"""Delays that vendors request."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from llmflow.providers.jitter import lengthened

LONGEST_WAIT = 600.0
"""Upper limit of a requested delay, in seconds."""


def requested_delay(headers: Mapping[str, str]) -> float | None:
    """Read the requested delay in seconds, capped, with jitter; `None` without one."""
    after = headers.get("retry-after", "")
    for asked in (_seconds(headers.get("retry-after-ms", ""), per_second=1000), _seconds(after), _until(after)):
        if asked is not None:
            return min(lengthened(asked), LONGEST_WAIT)
    return None


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
