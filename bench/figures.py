"""Measured figures, and their display."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of both sides, with the limit for llmflow."""

    name: str
    llmflow: float
    plain: float | None = None
    """`None` if plain code does not have it."""
    unit: str = ""
    ratio: float | None = None
    """Return the ratio of llmflow to plain."""
    limit: float | None = None
    """`None` if it is only reported."""
    limits: Literal["ratio", "more", "value"] = "ratio"
    """Quantity that the limit holds for: the ratio, the addition by llmflow, or llmflow's own value."""

    @property
    def judged(self) -> float | None:
        more = self.llmflow - self.plain if self.plain is not None else None
        return {"ratio": self.ratio, "more": more, "value": self.llmflow}[self.limits]

    @property
    def verdict(self) -> str:
        if self.limit is None or self.judged is None:
            return ""
        return "ok" if round(self.judged, 3) <= self.limit else "over"

    @property
    def target(self) -> str:
        if self.limit is None:
            return ""
        if self.limits == "ratio":
            return f"<= {self.limit:.2f}x"
        return f"{'<= plain +' if self.limits == 'more' else '<='} {self.limit:g} {self.unit}".rstrip()


def table(figures: Sequence[Figure]) -> str:
    """Return one line for each figure."""
    rows = [("", "plain", "llmflow", "", "target", "")]
    for figure in figures:
        comparison = f"{figure.ratio:.2f}x" if figure.ratio is not None else ""
        if figure.limits == "more" and figure.judged is not None:
            comparison = f"{figure.judged:+.3g}"
        name = f"{figure.name}, {figure.unit}" if figure.unit else figure.name
        rows.append((name, _number(figure.plain), _number(figure.llmflow), comparison, figure.target, figure.verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in range(1, 4)), row[4].ljust(widths[4]), row[5]]
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def as_json(figures: Sequence[Figure]) -> str:
    """Return JSON: every field, with the judged quantity and the verdict."""
    return json.dumps(
        [{**asdict(figure), "judged": figure.judged, "verdict": figure.verdict or None} for figure in figures], indent=2
    )


def p95(values: Sequence[float]) -> float:
    """Return the value that 19 of 20 stay below."""
    return quantiles(values, n=20)[-1]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if value == int(value) or value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 1 else f"{value:.1f}"
