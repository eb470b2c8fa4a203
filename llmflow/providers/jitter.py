"""A wait that is lengthened at random."""

import random

JITTER = 0.2
"""A wait is lengthened by up to this share, so that a hundred calls that were refused together do not come back
together."""


def lengthened(seconds: float) -> float:
    """A wait, with jitter."""
    return round(seconds * random.uniform(1, 1 + JITTER), 3)
