"""Tokens and costs of one call and of a run."""

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer

from llmflow.types.base import CompactWire, Wire, changed

__all__ = ["Cost", "Totals", "Usage", "UsageReport"]

Tokens = Annotated[int, Field(ge=0)]

VENDOR = "vendor"
"""`Cost.source` of a cost that the vendor itself reported; repricing skips it."""


def _written_out(usd: Decimal) -> str:
    return format(usd, "f")


Dollars = Annotated[Decimal, PlainSerializer(_written_out, return_type=str, when_used="json-unless-none")]
"""Exact amount; in JSON without an exponent (`0.0000001`, not `1E-7`), for people and other languages."""


def dollars(usd: Decimal) -> str:
    """Format an amount such as `$1.23`, `$0.0042`, `$0`: small amounts keep two significant digits."""
    if usd == 0:
        return "$0"
    digits = max(2, 1 - usd.adjusted())
    return f"${usd.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN):f}"


class Usage(CompactWire):
    """Tokens and other counts of one call. `input_tokens` and `output_tokens` are totals; other tokens are parts."""

    input_tokens: Tokens = 0
    """All input tokens, cached ones included."""
    output_tokens: Tokens = 0
    """All output tokens, reasoning included."""
    cache_read_tokens: Tokens = 0
    """Part of `input_tokens` that came from the vendor's cache, usually cheaper."""
    cache_write_tokens: Tokens = 0
    """Part of `input_tokens` that was written to the vendor's cache, sometimes dearer."""
    cache_write_1h_tokens: Tokens = 0
    """Part of `cache_write_tokens` that stays for an hour, dearer than the others."""
    cache_read_audio_tokens: Tokens = 0
    """Part of `cache_read_tokens` that was audio."""
    reasoning_tokens: Tokens = 0
    """Part of `output_tokens` spent on reasoning that is not in the answer."""
    input_audio_tokens: Tokens = 0
    """Part of `input_tokens` that was audio."""
    output_audio_tokens: Tokens = 0
    """Part of `output_tokens` that was audio."""
    input_image_tokens: Tokens = 0
    """Part of `input_tokens` that was images."""
    output_image_tokens: Tokens = 0
    """Part of `output_tokens` that was images."""
    input_video_tokens: Tokens = 0
    """Part of `input_tokens` that was video."""
    web_searches: Tokens = 0
    """Searches of the web that the vendor ran."""
    file_searches: Tokens = 0
    """Searches of stored files that the vendor ran."""
    unread: dict[str, int | float] = {}
    """Other counts, by the vendor's name. llmflow does not know if they are billed, so they make the price unknown."""

    def __add__(self, other: "Usage") -> "Usage":
        unread = {
            name: self.unread.get(name, 0) + other.unread.get(name, 0) for name in {**self.unread, **other.unread}
        }
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in COUNTS}, unread=unread)


COUNTS = tuple(name for name in Usage.model_fields if name != "unread")
"""Names of the counts that llmflow reads."""


class Cost(CompactWire):
    """The cost of one call, computed when its answer arrives and never changed afterwards."""

    usd: Dollars | None = None
    """US dollars; `None` when no price is known, which is not the same as free."""
    source: str
    """Source of the amount: `vendor`, a price list with its version and its doubts, or why there is no price."""
    matched: str | None = None
    """The entry of the price list that was used, where it differs from the answering model."""
    tier: str | None = None
    """The service tier that was priced, where it is not the standard one."""
    region: str | None = None
    """The region that was priced, where the vendor says it and it is not the whole world."""
    price_date: date | None = None
    """The day from which the price list has this price, where the list says so."""

    def plus(self, other: "Cost") -> "Cost":
        """Add another cost; the sum is unknown if either is."""
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return changed(self, usd=usd)


class CostParts(Wire):
    """Parts of a call's cost, and what it would have cost otherwise. `None`: unknown, as of a bill by the vendor."""

    input_usd: Dollars | None = None
    """US dollars of the input tokens."""
    output_usd: Dollars | None = None
    """US dollars of the output tokens; the rest of the cost are fees, such as of searches."""
    cache_saved_usd: Dollars | None = None
    """Saving by the vendor's cache; negative if writing to it cost more than reading from it saved."""
    tier_saved_usd: Dollars | None = None
    """Saving by the service tier against the standard one, such as `batch`; negative for a dearer one."""


class Totals(Wire):
    """Sums over calls."""

    calls: int = 0
    """Paid answers."""
    usage: Usage = Usage()
    usd: Dollars = Decimal(0)
    """US dollars of the calls with a known price."""
    unpriced_calls: int = 0
    """Calls without a known price; `usd` excludes them."""

    def plus(self, usage: Usage, cost: Cost) -> "Totals":
        """Return these totals with one more call."""
        return Totals(
            calls=self.calls + 1,
            usage=self.usage + usage,
            usd=self.usd + (cost.usd or Decimal(0)),
            unpriced_calls=self.unpriced_calls + (cost.usd is None),
        )

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            calls=self.calls + other.calls,
            usage=self.usage + other.usage,
            usd=self.usd + other.usd,
            unpriced_calls=self.unpriced_calls + other.unpriced_calls,
        )


class UsageReport(Wire):
    """Usage of a run so far: the result of the query `llmflow.usage`."""

    total: Totals = Totals()
    by_model: dict[str, Totals] = {}
    """Totals by the model that answered, as `provider:model`."""
    by_prompt: dict[str, Totals] = {}
    """Totals by prompt version, as `name@version`."""
    taken: Totals = Totals()
    """Answers that a forked run reused from the original run, at their cost there. The other fields exclude them."""
    taken_by_prompt: dict[str, Totals] = {}
    """Reused answers by prompt version."""

    def __add__(self, other: "UsageReport") -> "UsageReport":
        return UsageReport(
            total=self.total + other.total,
            by_model=_merged(self.by_model, other.by_model),
            by_prompt=_merged(self.by_prompt, other.by_prompt),
            taken=self.taken + other.taken,
            taken_by_prompt=_merged(self.taken_by_prompt, other.taken_by_prompt),
        )


def _merged(one: dict[str, Totals], other: dict[str, Totals]) -> dict[str, Totals]:
    return {**one, **{name: one.get(name, Totals()) + totals for name, totals in other.items()}}
