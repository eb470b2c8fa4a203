"""Rollouts: versions side by side, dealt to runs, users, tenants or items. Each unit keeps its version.

The hash of its name puts a unit into one of 10,000 buckets, and each bucket belongs to an arm.
"""

import hashlib
from typing import Literal

from llmflow.types.base import Wire

BUCKETS = 10_000

Unit = Literal["run", "user", "tenant", "item"]
Buckets = tuple[tuple[int, int], ...]
"""Ranges of buckets: the first of each, and the one after its last."""


class Arm(Wire):
    """One version of a rollout, with its buckets."""

    arm: str
    """Name of the arm, such as `b`."""
    version: str
    buckets: Buckets

    @property
    def share(self) -> int:
        """Number of its buckets, out of 10,000."""
        return sum(end - start for start, end in self.buckets)


class Rollout(Wire):
    """Split of a label between versions."""

    salt: str
    """Salt of this rollout: another rollout tries its version on other users."""
    unit: Unit
    """Kind of unit whose name decides. A run without a user or tenant, and a call of no item with a label, are dealt by
    the id of the root run."""
    arms: tuple[Arm, ...]

    def arm_of(self, unit: str) -> Arm:
        """Return the arm of a unit. It stays the same as long as the shares do."""
        number = bucket(self.salt, unit)
        return next(arm for arm in self.arms if any(start <= number < end for start, end in arm.buckets))

    def __str__(self) -> str:
        arms = (f"{arm.arm} {arm.version} {percent(arm.share)}" for arm in self.arms)
        return f"{', '.join(arms)}, by {self.unit}"


def bucket(salt: str, unit: str) -> int:
    """Return the bucket of a unit, from 0: the sha256 of salt and name, modulo 10,000."""
    return int.from_bytes(hashlib.sha256((salt + unit).encode()).digest()) % BUCKETS


def percent(share: int) -> str:
    """Format a share such as `10 %` or `0.5 %`."""
    return f"{share * 100 / BUCKETS:g} %"
