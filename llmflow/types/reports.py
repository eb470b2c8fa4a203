"""Reports of the ledger: costs and tokens, scores, and comparisons of prompt versions."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from llmflow.types.base import Wire
from llmflow.types.usage import Dollars, Tokens, Totals

__all__ = ["Score"]

Dimension = Literal[
    "run", "day", "month", "tenant", "user", "workflow", "item", "prompt", "label", "arm", "model", "tag", "error"
]
"""Dimensions that a cost report may group by; `error` is the outcome of an attempt without an answer."""
Verdict = Literal["no difference shown yet", "higher", "lower"]


class CallFilter(Wire):
    """Filter for calls of the ledger. A call must match all given fields."""

    since: datetime | date | None = None
    """First day, in UTC; or an inclusive lower bound in time."""
    until: datetime | date | None = None
    """Last day, in UTC; or an exclusive upper bound in time."""
    run: str | None = None
    """Workflow id of a root run, its children included, or of a child."""
    tenant: str | None = None
    workflow: str | None = None
    """Workflow type."""
    prompt: str | None = None
    """`name`, or `name@version`."""
    model: str | None = None
    """`provider:model` that was requested, or that answered."""
    tag: str | None = None


class Spent(Totals):
    """Sums over calls of the ledger. Each attempt of a call is in exactly one of the counts."""

    failed_calls: int = 0
    """Attempts that failed with an error of the vendor or of the request."""
    lost_calls: int = 0
    """Attempts that were cut off or died with their worker: the vendor may bill them."""
    lost_low_usd: Dollars = Decimal(0)
    """The least that lost calls cost if the vendor bills them; `usd` excludes it."""
    lost_high_usd: Dollars = Decimal(0)
    """The most that they cost; without the calls of `lost_unknown_calls`."""
    lost_unknown_calls: int = 0
    """Lost calls without a known upper bound."""
    unasked_calls: int = 0
    """Attempts that llmflow held back before asking the model: by a limit, a budget, an open circuit."""
    input_usd: Dollars = Decimal(0)
    """Part of `usd` for input tokens."""
    output_usd: Dollars = Decimal(0)
    """Part of `usd` for output tokens."""
    undivided_usd: Dollars = Decimal(0)
    """Part of `usd` that is not divided: bills of vendors, and calls of before. The rest of `usd` are fees."""
    charges: int = 0
    """Charges of tools: one for each attempt of a tool and name of a cost."""
    charged_usd: Dollars = Decimal(0)
    """Part of `usd` that tools have charged."""
    cache_saved_usd: Dollars = Decimal(0)
    """Savings by the vendors' caches; negative if writing to them cost more than reading from them saved."""
    tier_saved_usd: Dollars = Decimal(0)
    """Savings by service tiers against the standard one, such as `batch`; negative if they were dearer."""
    reused_calls: int = 0
    """Answers that were paid before and taken again: by a retry after a crash, or by a fork."""
    reused_usd: Dollars = Decimal(0)
    """US dollars that they had cost, which were not paid again."""
    repriced_usd: Dollars | None = None
    """`usd` with the prices of the last repricing, for calls that it covers; `None` without a repricing."""


class CostRow(Spent):
    """Sums over calls with the same key."""

    key: dict[Dimension, str | None]
    """Value of each dimension; `None` if the calls have none, such as no tenant or no error."""


class CostReport(Wire):
    """Costs recorded in the ledger."""

    filter: CallFilter
    by: tuple[Dimension, ...]
    zone: str = "UTC"
    """Time zone of days and months."""
    rows: tuple[CostRow, ...]
    """Most expensive first; by day or month, newest first."""
    total: Spent
    """Sums that count each call once, although a call with several tags is in several rows."""


class DailyCost(Wire):
    """Costs of one day's calls with the same model, tenant, workflow, prompt, tags, tier and region."""

    day: date
    """Day in UTC."""
    model: str
    """`provider:model` that answered."""
    tenant: str | None = None
    workflow: str
    """Workflow type."""
    prompt: str
    """Name of the prompt."""
    tags: tuple[str, ...] = ()
    tier: str | None = None
    """Service tier that was priced; `None` for the standard one."""
    region: str | None = None
    calls: int
    """Paid answers with a known price."""
    input_tokens: Tokens
    output_tokens: Tokens
    usd: Dollars


class Repriced(Wire):
    """Calls of one model at their frozen prices and at current prices."""

    model: str
    """`provider:model` that answered."""
    calls: int = 0
    """Paid answers, except those whose vendor reported the cost."""
    usd: Dollars = Decimal(0)
    """Frozen cost of the calls with a known price."""
    unpriced_calls: int = 0
    """Calls without a frozen price."""
    repriced_usd: Dollars = Decimal(0)
    """Cost at current prices, of the calls with a known price."""
    repriced_unpriced_calls: int = 0
    """Calls without a current price."""
    difference_usd: Dollars | None = None
    """Increase in cost of the calls with both prices; `None` if there are none."""


class RepriceReport(Wire):
    """Calls of the ledger at current prices beside their frozen cost."""

    rows: tuple[Repriced, ...]
    """One row per model."""
    vendor_calls: int
    """Calls whose vendor reported the cost; they are not repriced."""
    written: bool
    """True if the ledger was updated."""


class Score(Wire):
    """A judgement of a run."""

    run: str
    """Workflow id of the root run."""
    name: str
    """Name of the judged quality, such as `helpful`."""
    value: float
    """Finite number, on one scale for all scores of the name."""
    by: str | None = None
    """The judge; a second score of the same person replaces the first."""
    comment: str | None = None
    at: datetime


class EstimatedDifference(Wire):
    """The difference of two figures with its 95 % confidence interval."""

    value: float
    """Figure minus that of the baseline; the mean over the pairs, if there are pairs."""
    low: float | None
    """Lower end; `None` if the spread is unknown."""
    high: float | None
    """Upper end, likewise."""
    pairs: int | None = None
    """Number of pairs, each of a run and its forks; `None` if the runs are compared as independent ones."""


class Interval(Wire):
    """An estimate with its 95 % confidence interval."""

    value: float
    """Share from 0 to 1, or mean on the scale of its values."""
    low: float | None
    """Lower end; `None` if all values are equal, so that the spread is unknown."""
    high: float | None
    """Upper end, likewise."""
    n: int
    """Number of observations."""
    difference: EstimatedDifference | None = None
    """Difference to the baseline's figure, if it has one."""
    verdict: Verdict | None = None
    """Direction of the difference, if its interval is on one side of 0."""


class ComparedRow(Wire):
    """Figures of one prompt version or one model."""

    key: str
    """The version, or the requested `provider:model`."""
    runs: int
    """Runs that used it; a root run and its children count as one."""
    calls: int
    """Paid answers."""
    usd: Dollars
    """Frozen cost of the answers with a known price."""
    unpriced_calls: int
    """Answers without a known price."""
    usd_per_run: Dollars | None
    """Mean over the runs in which it answered; `None` if a price is unknown or nothing was paid."""
    latency_p50: float | None
    """Median seconds per answer."""
    latency_p95: float | None
    """Seconds per answer, 95th percentile."""
    first_token_p50: float | None = None
    """Median seconds to the first token of streamed answers; `None` if none was streamed."""
    failures: Interval | None
    """Share of the calls that got no answer after all attempts, or a refusal of the model."""
    reasks: Interval | None
    """Share of the answers that did not fit their type and were re-asked."""
    scores: dict[str, Interval]
    """Mean over the scored runs, by the score's name."""


class Comparison(Wire):
    """Versions of a prompt, or models that answered it, compared."""

    prompt: str
    by: Literal["version", "model"]
    baseline: str | None
    """Key with the most runs; the other rows are compared with it."""
    rows: tuple[ComparedRow, ...]
    """Most recently used first."""
