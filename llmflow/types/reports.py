"""What the ledger says when it is asked: money and tokens, scores, and how prompt versions compare."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from llmflow.types.base import Wire
from llmflow.types.usage import Dollars, Totals

__all__ = ["Score"]

Dimension = Literal["run", "day", "tenant", "user", "workflow", "prompt", "label", "arm", "model", "tag", "error"]
"""What a report of costs may have a row for each of; `error` is how an attempt ended that brought no answer."""
Verdict = Literal["no difference shown yet", "higher", "lower"]


class CallFilter(Wire):
    """Which calls of the ledger are meant: those that fit everything that is given."""

    since: datetime | date | None = None
    """The first day, in UTC; or the first moment."""
    until: datetime | date | None = None
    """The last day, in UTC; or the moment before which it must be."""
    run: str | None = None
    """Workflow id of a run, whose children are then meant too, or of a child."""
    tenant: str | None = None
    workflow: str | None = None
    """Workflow type."""
    prompt: str | None = None
    """`name`, or `name@version`."""
    model: str | None = None
    """`provider:model` that was asked, or that answered."""
    tag: str | None = None


class Spent(Totals):
    """Calls of the ledger added up. Each attempt of a call is in exactly one of the counts."""

    failed_calls: int = 0
    """Attempts that ended with an error of the vendor's, or of the request."""
    lost_calls: int = 0
    """Attempts that were cut, or died with their worker: the vendor may bill them, and nobody knows how much."""
    unasked_calls: int = 0
    """Attempts that llmflow itself held back before anything was asked: by a limit, a budget, an open circuit."""
    repriced_usd: Dollars | None = None
    """`usd` with the prices of the last repricing, where it had one; `None` if there was none."""


class CostRow(Spent):
    """The calls that have something in common."""

    key: dict[Dimension, str | None]
    """What they have in common; `None` for those that have none, such as no tenant, or no error."""


class CostReport(Wire):
    """What was spent, by the ledger."""

    filter: CallFilter
    by: tuple[Dimension, ...]
    rows: tuple[CostRow, ...]
    """The dearest first; by day, the newest first."""
    total: Spent
    """Each call once, also those that stand in several rows because they have several tags."""


class Repriced(Wire):
    """The calls of one model, by the prices that were frozen and by those of today."""

    model: str
    """`provider:model` that answered."""
    calls: int = 0
    """Paid answers, without those whose vendor said what they cost."""
    usd: Dollars = Decimal(0)
    """Frozen, of the calls whose price was known."""
    unpriced_calls: int = 0
    """Calls without a frozen price."""
    repriced_usd: Dollars = Decimal(0)
    """By today's lists, of the calls whose price they know."""
    repriced_unpriced_calls: int = 0
    """Calls whose price is not known today."""
    difference_usd: Dollars | None = None
    """How much more the calls cost today whose price is known both times; `None` if there are none."""


class RepriceReport(Wire):
    """The ledger by the price lists of today, beside what was frozen."""

    rows: tuple[Repriced, ...]
    """By model."""
    vendor_calls: int
    """Calls whose vendor said what they cost: there is nothing to compute again."""
    written: bool
    """Whether the ledger has it now."""


class Score(Wire):
    """What somebody thinks of a run."""

    run: str
    """Workflow id of the run; of a child, that of the run that began the tree."""
    name: str
    """Of what is judged, such as `helpful`."""
    value: float
    """Any finite number, on the same scale for all scores of the name."""
    by: str | None = None
    """Who; a second score of the same person replaces the first."""
    comment: str | None = None
    at: datetime


class Interval(Wire):
    """An estimate with its 95 % confidence interval."""

    value: float
    """A share from 0 to 1, or a mean on the scale of its values."""
    low: float | None
    """The lower end; `None` where values that are all the same say nothing of the spread."""
    high: float | None
    """The upper end, likewise."""
    n: int
    """How many observations it rests on."""
    verdict: Verdict | None = None
    """Against the same figure of the baseline, where that has one."""


class ComparedRow(Wire):
    """One prompt version, or one model."""

    key: str
    """The version, or the `provider:model` that was asked."""
    runs: int
    """Runs that used it; a run with its children is one."""
    calls: int
    """Paid answers."""
    usd: Dollars
    """Frozen, of the answers whose price is known."""
    unpriced_calls: int
    """Answers whose price is not known."""
    usd_per_run: Dollars | None
    """Of the runs in which it answered; `None` if a price is not known, or nothing was paid."""
    latency_p50: float | None
    """Seconds that half of the answers did not exceed."""
    latency_p95: float | None
    """Seconds that 95 of 100 answers did not exceed."""
    first_token_p50: float | None = None
    """Seconds to the first token that half of the streamed answers did not exceed; `None` if none was streamed."""
    failures: Interval | None
    """Share of the calls that got no answer after all their attempts, or a refusal of the model."""
    reasks: Interval | None
    """Share of the answers that did not fit their type, so that the model was asked again."""
    scores: dict[str, Interval]
    """By name: the mean over the scored runs."""


class Comparison(Wire):
    """Versions of a prompt, or models that answered it, side by side."""

    prompt: str
    by: Literal["version", "model"]
    baseline: str | None
    """The key with the most runs, which the others are held against."""
    rows: tuple[ComparedRow, ...]
    """The latest used first."""
