"""95 % confidence intervals: Wilson's score for a share, Student's t for a mean."""

from collections.abc import Sequence
from math import inf, isclose, sqrt
from statistics import NormalDist, fmean, stdev

from llmflow.types.base import changed
from llmflow.types.reports import Interval, Verdict

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


def against(one: Interval | None, baseline: Interval | None) -> Interval | None:
    """Add the verdict: a difference is shown if the intervals do not overlap, which is stricter than a test at 5 %."""
    if one is None or baseline is None:
        return one
    (low, high), (base_low, base_high) = _ends(one), _ends(baseline)
    verdict: Verdict = "higher" if low > base_high else "lower" if high < base_low else "no difference shown yet"
    return changed(one, verdict=verdict)


def _ends(interval: Interval) -> tuple[float, float]:
    low, high = interval.low, interval.high
    return -inf if low is None else low, inf if high is None else high


def _t(freedom: int) -> float:
    if freedom <= len(_T):
        return _T[freedom - 1]
    return _Z + (_Z**3 + _Z) / (4 * freedom) + (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / (96 * freedom**2)
