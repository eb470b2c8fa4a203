"""Rollouts: each unit keeps its arm, and a change of shares moves as few as possible."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.errors import InputInvalid
from llmflow.stores.prompts.rollouts import deal
from llmflow.types.rollouts import BUCKETS, Arm, Buckets, Rollout, bucket

UNITS = [f"user-{number}" for number in range(2_000)]


@st.composite
def shares(draw: st.DrawFn) -> dict[str, int]:
    """Shares of two to five arms, 10,000 together; some may get nothing."""
    cuts = sorted(draw(st.lists(st.integers(0, BUCKETS), min_size=1, max_size=4)))
    return dict(zip("abcde", (end - start for start, end in pairwise([0, *cuts, BUCKETS])), strict=False))


def rollout(dealt: dict[str, Buckets]) -> Rollout:
    arms = tuple(Arm(arm=arm, version=arm, buckets=buckets) for arm, buckets in dealt.items())
    return Rollout(salt="5a17", unit="user", arms=arms)


def owners(dealt: dict[str, Buckets]) -> list[str]:
    """Return the owner of each bucket; every one has exactly one owner."""
    owned = {number: arm for arm, buckets in dealt.items() for start, end in buckets for number in range(start, end)}
    assert sum(arm.share for arm in rollout(dealt).arms) == len(owned) == BUCKETS
    return [owned[number] for number in range(BUCKETS)]


@given(st.lists(shares(), min_size=2, max_size=4))
def test_of_any_changes_only_those_move_that_must(steps: list[dict[str, int]]) -> None:
    dealt: dict[str, Buckets] = {}
    for step in steps:
        before = owners(dealt) if dealt else None
        dealt = deal(step, dealt)
        after = owners(dealt)
        assert {arm: after.count(arm) for arm in step} == step
        if before:
            grown = sum(max(0, share - before.count(arm)) for arm, share in step.items())
            moved = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
            assert len(moved) == grown, "an arm that grows keeps all, an arm that shrinks gets nobody new"


def test_growing_from_10_to_20_percent_moves_a_tenth_and_nobody_else() -> None:
    first = deal({"a": 8_000, "b": 1_000, "c": 1_000}, {})
    later = deal({"a": 7_000, "b": 1_000, "c": 2_000}, first)
    arms = [(rollout(first).arm_of(unit).arm, rollout(later).arm_of(unit).arm) for unit in UNITS]
    assert {pair for pair in arms if pair[0] != pair[1]} == {("a", "c")}
    assert first == {"a": ((0, 8_000),), "b": ((8_000, 9_000),), "c": ((9_000, 10_000),)}
    assert later == {"a": ((0, 7_000),), "b": ((8_000, 9_000),), "c": ((7_000, 8_000), (9_000, 10_000))}


@given(st.text(), st.text())
def test_the_bucket_of_a_unit_is_a_hash_and_nothing_else(salt: str, unit: str) -> None:
    expected = int(hashlib.sha256((salt + unit).encode()).hexdigest(), 16) % 10_000
    assert bucket(salt, unit) == expected


def test_shares_are_what_units_get_and_another_salt_deals_anew() -> None:
    dealt = rollout(deal({"a": 9_000, "b": 1_000}, {}))
    other = dealt.model_copy(update={"salt": "0the4"})
    lucky, others = ({unit for unit in UNITS if one.arm_of(unit).arm == "b"} for one in (dealt, other))
    assert 150 < len(lucky) < 250
    assert len(lucky & others) < 50, "the users who try one thing are not those who try the next"


def test_an_arm_may_get_nobody_and_a_new_one_may_come() -> None:
    first = deal({"a": 10_000, "b": 0}, {})
    assert {rollout(first).arm_of(unit).arm for unit in UNITS} == {"a"}
    assert owners(deal({"a": 5_000, "n": 5_000}, first)).count("n") == 5_000


@pytest.mark.parametrize("wrong", [{"a": 9_000, "b": 500}, {}, {"a": 11_000, "b": -1_000}, {"a": 10_000, "b": 10_000}])
def test_shares_are_a_hundred_percent_together(wrong: dict[str, int]) -> None:
    with pytest.raises(InputInvalid, match="make it 100 % together"):
        deal(wrong, {})
