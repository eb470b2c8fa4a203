"""Dealing of a rollout's buckets to its arms.

When shares change, a growing arm keeps its buckets and a shrinking arm gives up some: only the units of those move.
"""

from collections.abc import Mapping
from itertools import islice

from llmflow.errors import InputInvalid
from llmflow.types.rollouts import BUCKETS, Buckets, percent


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
