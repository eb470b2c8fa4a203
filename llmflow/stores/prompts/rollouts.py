"""Rollouts: versions side by side, dealt to runs, users or tenants so that each keeps what it was given.

A unit (a run, a user, a tenant) falls into one of 10,000 buckets by the hash of its name, and each bucket belongs to
an arm. When the shares change, an arm that grows keeps its buckets and an arm that shrinks gives up some: only the
units of those move, and nobody else.
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
    """One of the versions of a rollout, and who gets it."""

    model_config = ConfigDict(frozen=True)

    arm: str
    """Its name, such as `b`."""
    version: str
    buckets: Buckets

    @property
    def share(self) -> int:
        """How many of the 10,000 buckets it has."""
        return sum(end - start for start, end in self.buckets)


class Rollout(BaseModel):
    """How a label is split between versions."""

    model_config = ConfigDict(frozen=True)

    salt: str
    """Of this rollout: the users who try the next one are others."""
    unit: Unit
    """Whose name decides. A run without a user or tenant is dealt by its own id."""
    arms: tuple[Arm, ...]

    def arm_of(self, unit: str) -> Arm:
        """The arm of a unit, the same for as long as the shares stay."""
        number = bucket(self.salt, unit)
        return next(arm for arm in self.arms if any(start <= number < end for start, end in arm.buckets))

    def __str__(self) -> str:
        arms = (f"{arm.arm} {arm.version} {percent(arm.share)}" for arm in self.arms)
        return f"{', '.join(arms)}, by {self.unit}"


def bucket(salt: str, unit: str) -> int:
    """The bucket of a unit, from 0: the sha256 of salt and name, modulo 10,000."""
    return int.from_bytes(hashlib.sha256((salt + unit).encode()).digest()) % BUCKETS


def deal(shares: Mapping[str, int], held: Mapping[str, Buckets]) -> dict[str, Buckets]:
    """Buckets for each arm; as few as possible change their owner.

    Args:
        shares: How many buckets each arm shall have; together all of them.
        held: Those that arms have already.

    Raises:
        InputInvalid: the shares are not 100 % together, or one is negative.
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
    """Such as `10 %` or `0.5 %`."""
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
