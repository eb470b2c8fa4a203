"""95 % confidence intervals: Wilson's score for a share, Student's t for a mean, and those of differences."""

from collections.abc import Sequence
from math import exp, hypot, isclose, lgamma, log, log1p, sqrt
from statistics import NormalDist, fmean, stdev

from llmflow.types.base import changed
from llmflow.types.reports import EstimatedDifference, Interval, Verdict

_Z = NormalDist().inv_cdf(0.975)
# fmt: off
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)
# fmt: on
"""Student's t at 97.5 % for 1 to 30 degrees of freedom."""


def share(count: int, of: int) -> Interval | None:
    """Estimate a share; `None` of nothing. Wilson's interval stays within 0 and 1, and holds for rare events."""
    if not of:
        return None
    p, z2 = count / of, _Z**2
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * sqrt(p * (1 - p) / of + z2 / (4 * of**2)) / (1 + z2 / of)
    # At the ends, rounding could put the estimate itself outside.
    return Interval(value=p, low=max(0.0, min(p, middle - half)), high=min(1.0, max(p, middle + half)), n=of)


def mean(values: Sequence[float]) -> Interval:
    """Estimate the mean of at least one value. If all values are 0 or 1, such as thumbs, it is a share.

    Other values that are all equal tell nothing about the spread, however many they are: then there is no interval.
    """
    value, n = fmean(values), len(values)
    if {*values} <= {0, 1} and (thumbs := share(round(sum(values)), n)):
        return thumbs
    if isclose(min(values), max(values)):
        return Interval(value=value, low=None, high=None, n=n)
    half = _t(n - 1) * stdev(values) / sqrt(n)
    return Interval(value=value, low=value - half, high=value + half, n=n)


def against(one: Interval | None, baseline: Interval | None, paired: Sequence[float] = ()) -> Interval | None:
    """Add the difference to the baseline and the verdict: it is shown if 0 is not in its interval, a test at 5 %.

    Args:
        one: The figure.
        baseline: The figure that it is compared with.
        paired: Differences within pairs. They count if they are at least half of the figure's observations: within a
            pair, what makes runs differ from each other is the same.
    """
    if one is None or baseline is None:
        return one
    difference = _paired(paired) if len(paired) > 1 and 2 * len(paired) >= one.n else _apart(one, baseline)
    low, high = difference.low, difference.high
    shown = low is not None and high is not None and (low > 0 or high < 0)
    verdict: Verdict = "no difference shown yet" if not shown else "higher" if difference.value > 0 else "lower"
    return changed(one, difference=difference, verdict=verdict)


def _apart(one: Interval, other: Interval) -> EstimatedDifference:
    """Estimate the difference of two independent figures from their intervals.

    Of shares, it is method 10 of Newcombe (1998), "Interval estimation for the difference between independent
    proportions"; of other figures, its generalization by Zou and Donner (2008), "Construction of confidence limits
    about effect measures".
    """
    value = one.value - other.value
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return EstimatedDifference(value=value, low=None, high=None)
    below = hypot(one.value - one.low, other.high - other.value)
    above = hypot(one.high - one.value, other.value - other.low)
    return EstimatedDifference(value=value, low=value - below, high=value + above)


def _paired(differences: Sequence[float]) -> EstimatedDifference:
    """Estimate the mean difference within pairs: Student's t, or exactly where all differences have one size.

    One size is that of thumbs, 1: then the pairs that differ are tosses of a coin, as in McNemar's exact test.
    """
    value, n = fmean(differences), len(differences)
    sizes = sorted(abs(one) for one in differences if not isclose(one, 0, abs_tol=1e-9))
    if not sizes:
        return EstimatedDifference(value=0, low=None, high=None, pairs=n)
    if isclose(sizes[0], sizes[-1]):
        low, high = _exact(sum(1 for one in differences if one > sizes[0] / 2), len(sizes))
        size = fmean(sizes) * len(sizes) / n
        return EstimatedDifference(value=value, low=(2 * low - 1) * size, high=(2 * high - 1) * size, pairs=n)
    half = _t(n - 1) * stdev(differences) / sqrt(n)
    return EstimatedDifference(value=value, low=value - half, high=value + half, pairs=n)


def _exact(count: int, of: int) -> tuple[float, float]:
    """Return the exact interval of a share, by Clopper and Pearson (1934)."""

    def at_least(least: int, p: float) -> float:
        ways = (lgamma(of + 1) - lgamma(k + 1) - lgamma(of - k + 1) for k in range(least, of + 1))
        return sum(exp(way + k * log(p) + (of - k) * log1p(-p)) for k, way in enumerate(ways, least))

    def solved(least: int, tail: float) -> float:
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if at_least(least, middle) < tail else (low, middle)
        return low

    return (solved(count, 0.025) if count else 0.0), (solved(count + 1, 0.975) if count < of else 1.0)


def _t(freedom: int) -> float:
    if freedom <= len(_T):
        return _T[freedom - 1]
    return _Z + (_Z**3 + _Z) / (4 * freedom) + (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / (96 * freedom**2)
