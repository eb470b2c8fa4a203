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


def difference(of: Interval | None) -> tuple[float | None, float | None]:
    assert of and of.difference
    return of.difference.low, of.difference.high


def test_newcombes_interval_of_a_difference_of_shares() -> None:
    """The first example of his paper: 56 of 70 and 48 of 80."""
    judged = against(share(56, 70), share(48, 80))
    assert difference(judged) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))
    assert judged and judged.verdict == "higher"
    one, other = share(56, 70), share(48, 80)
    assert one and other and one.low and other.high and one.low < other.high, "although the intervals overlap"


@pytest.mark.parametrize(
    ("one", "baseline", "verdict"),
    [
        ((5, 100), (20, 100), "lower"),
        ((20, 100), (5, 100), "higher"),
        ((5, 100), (9, 100), "no difference shown yet"),
        ((0, 1), (1, 1), "no difference shown yet"),
    ],
)
def test_the_verdict_is_that_of_the_difference(one: tuple[int, int], baseline: tuple[int, int], verdict: str) -> None:
    judged = against(share(*one), share(*baseline))
    assert judged and judged.verdict == verdict


def test_a_figure_without_spread_or_baseline_has_no_verdict() -> None:
    flat = mean([0.5, 0.5])
    judged = against(flat, share(1, 10))
    assert judged and judged.verdict == "no difference shown yet"
    assert (difference(judged), against(flat, None)) == ((None, None), flat)


@pytest.mark.parametrize(
    ("differences", "low", "high", "verdict"),
    [
        ([0.1, 0.3, 0.2, 0.4, 0.25], 0.25 - 2.776 * 0.1118 / 5**0.5, 0.25 + 2.776 * 0.1118 / 5**0.5, "higher"),
        ([1.0] * 5, 2 * 0.025 ** (1 / 5) - 1, 1.0, "no difference shown yet"),  # 2 of 32 tosses of five coins
        ([1.0] * 6, 2 * 0.025 ** (1 / 6) - 1, 1.0, "higher"),  # 2 of 64
        ([-1.0] * 6 + [0.0] * 6, -0.5, (1 - 2 * 0.025 ** (1 / 6)) / 2, "lower"),
        ([2.0] * 6, 2 * (2 * 0.025 ** (1 / 6) - 1), 2.0, "higher"),  # of stars, all better by two
        (
            [1.0] * 8 + [-1.0] * 2,
            2 * 0.44390 - 1,
            2 * 0.97479 - 1,
            "no difference shown yet",
        ),  # 8 of 10
        ([0.0, 0.0], None, None, "no difference shown yet"),
    ],
)
def test_differences_within_pairs(
    differences: list[float], low: float | None, high: float | None, verdict: str
) -> None:
    judged = against(share(1, len(differences)), share(9, 20), differences)
    assert judged and judged.difference
    assert (judged.verdict, judged.difference.pairs) == (verdict, len(differences))
    found = difference(judged)
    assert found == ((None, None) if low is None else (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3)))


def test_few_pairs_among_many_runs_do_not_count() -> None:
    judged = against(share(30, 60), share(30, 60), [1.0] * 20)
    assert judged and judged.difference and judged.difference.pairs is None


def test_one_of_twenty_differences_is_shown_by_chance() -> None:
    normal, chance = NormalDist(0.7, 0.2), random.Random(1)

    def shares() -> Interval | None:
        return share(sum(chance.random() < 0.3 for _ in range(60)), 60)

    samples = [mean(normal.samples(8, seed=seed)) for seed in range(4000)]
    means = [against(one, other) for one, other in zip(samples[::2], samples[1::2], strict=True)]
    several = [against(shares(), shares()) for _ in range(2000)]
    pairs = [
        against(share(6, 12), share(6, 12), [chance.choice((-1.0, 0.0, 1.0)) for _ in range(12)]) for _ in range(500)
    ]
    shown = [
        sum(1 for one in found if one and one.verdict != "no difference shown yet") / len(found)
        for found in (means, several, pairs)
    ]
    assert all(0.005 < one < 0.065 for one in shown), shown
