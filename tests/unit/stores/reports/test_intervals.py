"""Confidence intervals: known values, and their coverage."""

import random
from statistics import NormalDist

import pytest

from llmflow.stores.reports.intervals import against, mean, share
from llmflow.types.reports import Interval


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 10, 0.0179, 0.4042),
        (50, 100, 0.4038, 0.5962),
        (0, 1, 0.0, 0.7935),
    ],
)
def test_wilsons_interval_of_a_share(count: int, of: int, low: float, high: float) -> None:
    found = share(count, of)
    assert found
    assert (found.value, found.n) == (count / of, of)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_a_share_of_nothing_is_not_known() -> None:
    assert share(0, 0) is None


@pytest.mark.parametrize(
    ("values", "value", "half"),
    [
        ([1, 2], 1.5, 12.706 * 0.5),
        ([1, 2, 3, 4, 5], 3.0, 2.776 * 1.5811 / 5**0.5),
        ([1, 2] * 20, 1.5, 2.0227 * 0.50637 / 40**0.5),  # 39 degrees of freedom: beyond the table
    ],
)
def test_students_interval_of_a_mean(values: list[float], value: float, half: float) -> None:
    found = mean(values)
    assert (found.value, found.n) == (pytest.approx(value), len(values))
    assert (found.low, found.high) == (
        pytest.approx(value - half, abs=1e-4),
        pytest.approx(value + half, abs=1e-4),
    )


@pytest.mark.parametrize("values", [[0.9], [0.9, 0.9], [5.0] * 7, [0.1 + 0.2, 0.3, 0.3]], ids=str)
def test_equal_values_say_nothing_of_the_spread(values: list[float]) -> None:
    found = mean(values)
    assert (found.value, found.n) == (pytest.approx(values[0]), len(values))
    assert (found.low, found.high) == (None, None)
    judged = against(found, mean([value / 2 for value in values]))
    assert judged
    assert judged.verdict == "no difference shown yet"


@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0], [0.0] * 20, [0.0, 1.0, 1.0]], ids=str)
def test_thumbs_are_a_share(values: list[float]) -> None:
    assert mean(values) == share(round(sum(values)), len(values))


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    normal, chance = NormalDist(0.7, 0.2), random.Random(1)
    rounds = [mean(normal.samples(5, seed=seed)) for seed in range(2000)]
    held = sum(1 for one in rounds if (one.low or 0) <= 0.7 <= (one.high or 0))
    shares = [share(sum(chance.random() < 0.1 for _ in range(40)), 40) for _ in range(2000)]
    held_shares = sum(1 for one in shares if one and (one.low or 0) <= 0.1 <= (one.high or 0))
    assert 0.935 < held / 2000 < 0.965
    assert 0.92 < held_shares / 2000 < 0.98


@pytest.mark.parametrize(
    ("one", "baseline", "verdict"),
    [
        ((0.4, 0.5), (0.1, 0.3), "higher"),
        ((0.1, 0.3), (0.4, 0.5), "lower"),
        ((0.1, 0.4), (0.4, 0.5), "no difference shown yet"),
        ((0.2, 0.3), (0.1, 0.5), "no difference shown yet"),
        ((None, None), (0.4, 0.5), "no difference shown yet"),
        ((0.4, 0.5), (None, None), "no difference shown yet"),
    ],
)
def test_a_difference_is_shown_where_intervals_do_not_overlap(
    one: tuple[float, float], baseline: tuple[float, float], verdict: str
) -> None:
    first, second = (Interval(value=0.5, low=low, high=high, n=9) for low, high in (one, baseline))
    judged = against(first, second)
    assert judged
    assert judged.verdict == verdict
    assert against(first, None) == first
