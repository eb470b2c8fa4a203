"""Rollouts: versions side by side, dealt to runs, users or tenants. Each unit keeps its version.

The hash of its name puts a unit (a run, a user, a tenant) into one of 10,000 buckets, and each bucket belongs to an
arm. When the shares change, a growing arm keeps its buckets and a shrinking arm gives up some: only the units of those
move.
"""

import hashlib
from collections.abc import Mapping
from itertools import islice
from typing import Literal

from pydantic import BaseModel, ConfigDict

from llmflow.errors import InputInvalid

BUCKETS = 10_000

Unit = Literal["run", "user", "tenant"]
Buckets = tuple[tuple[int, int], ...]
"""Ranges of buckets: the first of each, and the one after its last."""


class Arm(BaseModel):
    """One version of a rollout, with its buckets."""

    model_config = ConfigDict(frozen=True)

    arm: str
    """Name of the arm, such as `b`."""
    version: str
    buckets: Buckets

    @property
    def share(self) -> int:
        """Number of its buckets, out of 10,000."""
        return sum(end - start for start, end in self.buckets)


class Rollout(BaseModel):
    """Split of a label between versions."""

    model_config = ConfigDict(frozen=True)

    salt: str
    """Salt of this rollout: another rollout tries its version on other users."""
    unit: Unit
    """Kind of unit whose name decides. A run without a user or tenant is dealt by its own id."""
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


def deal(shares: Mapping[str, int], held: Mapping[str, Buckets]) -> dict[str, Buckets]:
    """Assign buckets to each arm, and move as few as possible.

    Args:
        shares: Number of buckets for each arm; together all of them.
        held: Buckets that arms have already.

    Raises:
        InputInvalid: the shares do not add up to 100 %, or one is negative.
    """
    if sum(shares.values()) != BUCKETS or any(share < 0 for share in shares.values()):
        said = " + ".join(percent(share) for share in shares.values()) or "nothing"
        raise InputInvalid(f"the arms get {said}: make it 100 % together")
    owned = {arm: _numbers(held.get(arm, ()))[:share] for arm, share in shares.items()}
    taken = {number for numbers in owned.values() for number in numbers}
    free = (number for number in range(BUCKETS) if number not in taken)
    for arm, share in shares.items():
        owned[arm] += islice(free, share - len(owned[arm]))
    return {arm: _ranges(sorted(numbers)) for arm, numbers in owned.items()}


def percent(share: int) -> str:
    """Format a share such as `10 %` or `0.5 %`."""
    return f"{share * 100 / BUCKETS:g} %"


def _numbers(buckets: Buckets) -> list[int]:
    return [number for start, end in buckets for number in range(start, end)]


def _ranges(numbers: list[int]) -> Buckets:
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number:
            ranges[-1] = (ranges[-1][0], number + 1)
        else:
            ranges.append((number, number + 1))
    return tuple(ranges)
