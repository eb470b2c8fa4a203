"""Random jitter of waits."""

import random

JITTER = 0.2
"""Largest share added to a wait, so that a hundred calls that were refused together do not retry together."""


def lengthened(seconds: float) -> float:
    """Add jitter to a wait."""
    return round(seconds * random.uniform(1, 1 + JITTER), 3)
