"""A vendor's own report held against the ledger, by day and model."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from llmflow.service.vendor_reports import VendorReport, VendorSums
from llmflow.stores.database import Database
from llmflow.stores.reports.costs import cost_report
from llmflow.types.model_names import stem
from llmflow.types.refs import ModelRef
from llmflow.types.reports import CallFilter, CostRow
from llmflow.types.usage import Dollars

Verdict = Literal["agrees", "differs", "only vendor", "only ledger"]
_Key = tuple[date, str | None]


class Figures(BaseModel):
    """Tokens and money of a day and model. `None`: the vendor's report does not have it."""

    model_config = ConfigDict(frozen=True)

    input_tokens: int | None
    """All input tokens, cached ones included."""
    cache_read_tokens: int | None
    output_tokens: int | None
    usd: Dollars | None


class ReconciledRow(BaseModel):
    """A day and model in both books."""

    model_config = ConfigDict(frozen=True)

    day: date
    """Day in UTC."""
    model: str | None
    """Name of the model without its date; `None` for fees that are no model's, and if the report is not by model."""
    verdict: Verdict
    differing: tuple[str, ...] = ()
    """Names of the figures that differ by more than the tolerance."""
    vendor: Figures | None
    ledger: Figures | None
    unpriced_calls: int = 0
    """Calls that `ledger.usd` excludes, because they have no known price."""
    lost_calls: int = 0
    """Calls without an answer, which the vendor may have billed; the ledger does not know their tokens."""
    lost_high_usd: Dollars = Decimal(0)
    """The most that lost calls cost, as far as that is known."""


class Reconciliation(BaseModel):
    """A vendor's report held against the ledger."""

    model_config = ConfigDict(frozen=True)

    vendor: str
    """`openai` or `anthropic`."""
    first: date
    """First day of the report, in UTC."""
    last: date
    """Last day of the report, in UTC."""
    is_complete: bool
    """False if the report has another page, which is not in the file."""
    tolerance: Dollars
    """Share of the larger figure by which both may differ, such as 0.01."""
    rows: tuple[ReconciledRow, ...]
    """The oldest day first."""

    @property
    def differs(self) -> bool:
        """True if some day and model does not agree."""
        return any(row.verdict != "agrees" for row in self.rows)


async def reconcile(
    database: Database, report: VendorReport, tolerance: Decimal, provider: str | None = None
) -> Reconciliation:
    """Hold a vendor's report against the ledger.

    Args:
        database: The store.
        report: The vendor's report.
        tolerance: Share of the larger figure by which both may differ, such as 0.01.
        provider: Provider of models.yaml whose calls the vendor billed; by default that of the vendor's name, and its
            models by litellm.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    first, last = report.days
    found = await cost_report(database, CallFilter(since=first, until=last), ("day", "model"))
    by_model = any(billed.model for billed in report.billed)
    ours = _ledger(found.rows, report.vendor, provider, by_model=by_model)
    theirs = _vendor(report.billed)
    keys = sorted({*ours, *theirs}, key=lambda key: (key[0], key[1] or ""))
    rows = [_row(key, theirs.get(key, ()), ours.get(key, ()), report, tolerance) for key in keys]
    return Reconciliation(
        vendor=report.vendor,
        first=first,
        last=last,
        is_complete=report.is_complete,
        tolerance=tolerance,
        rows=tuple(row for row in rows if row),
    )


def _vendor(billed: Iterable[VendorSums]) -> Mapping[_Key, Sequence[VendorSums]]:
    grouped: dict[_Key, list[VendorSums]] = {}
    for one in billed:
        grouped.setdefault((one.day, one.model and _name(one.model)), []).append(one)
    return grouped


def _ledger(
    rows: Iterable[CostRow], vendor: str, provider: str | None, *, by_model: bool
) -> Mapping[_Key, Sequence[CostRow]]:
    grouped: dict[_Key, list[CostRow]] = {}
    for row in rows:
        model, day = ModelRef.parse(row.key["model"] or ""), row.key["day"]
        if day and _is_of(model, vendor, provider):
            grouped.setdefault((date.fromisoformat(day), _name(model.model) if by_model else None), []).append(row)
    return grouped


def _is_of(model: ModelRef, vendor: str, provider: str | None) -> bool:
    if provider:
        return model.provider == provider
    return model.provider == vendor or model.vendor == f"litellm:{vendor}"


def _name(model: str) -> str:
    """Return one name for all that vendors write for a model: `Claude Haiku 4.5`, `claude-haiku-4-5-20251001`."""
    return stem(model.replace(" ", "-")).replace(".", "-")


def _row(
    key: _Key, theirs: Sequence[VendorSums], ours: Sequence[CostRow], report: VendorReport, tolerance: Decimal
) -> ReconciledRow | None:
    """Compare one day and model; `None` if both books have nothing."""
    vendor, ledger = _billed(theirs), _recorded(ours)
    lost_calls, lost = sum(row.lost_calls for row in ours), sum((row.lost_high_usd for row in ours), Decimal(0))
    is_billed, is_paid = any(vendor.model_dump().values()), any(row.calls or row.usd for row in ours)
    if not is_billed and not is_paid:
        return None
    rounding = report.rounding * len(theirs)
    differing = tuple(_differing(vendor, ledger, tolerance, rounding, lost)) if theirs else ()
    verdict: Verdict = "differs" if differing else "agrees"
    if not theirs:
        verdict = "only ledger"
    elif not is_paid and not lost_calls:
        verdict = "only vendor"
    return ReconciledRow(
        day=key[0],
        model=key[1],
        verdict=verdict,
        differing=differing,
        vendor=vendor if theirs else None,
        ledger=ledger if is_paid else None,
        unpriced_calls=sum(row.unpriced_calls for row in ours),
        lost_calls=lost_calls,
        lost_high_usd=lost,
    )


def _billed(rows: Sequence[VendorSums]) -> Figures:
    return Figures.model_validate({name: _sum(getattr(row, name) for row in rows) for name in Figures.model_fields})


def _recorded(rows: Sequence[CostRow]) -> Figures:
    return Figures(
        input_tokens=sum(row.usage.input_tokens for row in rows),
        cache_read_tokens=sum(row.usage.cache_read_tokens for row in rows),
        output_tokens=sum(row.usage.output_tokens for row in rows),
        usd=sum((row.usd for row in rows), Decimal(0)),
    )


def _sum(values: Iterable[Decimal | int | None]) -> Decimal | None:
    known = [Decimal(value) for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None


def _differing(vendor: Figures, ledger: Figures, tolerance: Decimal, rounding: Decimal, lost: Decimal) -> Iterator[str]:
    for name in Figures.model_fields:
        theirs, ours = getattr(vendor, name), getattr(ledger, name)
        if theirs is None:
            continue
        allowed = tolerance * max(theirs, ours) + (rounding if name == "usd" else 0)
        more = lost if name == "usd" else 0  # lost calls can only raise the vendor's bill
        if ours - theirs > allowed or theirs - ours > allowed + more:
            yield name
