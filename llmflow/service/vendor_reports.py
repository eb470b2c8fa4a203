"""Reports of vendors on what they billed, as people export them: JSON of their APIs, CSV of their consoles.

Shapes, by their source:

- OpenAI's usage and costs as JSON: "Usage" of the API reference (developers.openai.com/api/docs/api-reference/usage).
- Their export as CSV, and `line_item` (`priority | gpt-5.6-sol, output, long context`): not documented; read from
  exports that users published.
- Anthropic's usage and costs as JSON: "Get Messages Usage Report" and "Get Cost Report" of the Admin API
  (platform.claude.com/docs/en/api/admin). Amounts are cents.
- Their export as CSV: not documented; read from exports that users published. Amounts are rounded to cents.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, DecimalException
from itertools import chain
from typing import Any, cast

from llmflow.errors import ErrorDetail, InputInvalid

Row = Mapping[str, Any]  # Any: JSON, or the texts of a line of CSV

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class VendorSums:
    """Sums of a vendor for one day and model; `None` where its report does not have the figure."""

    day: date
    """Day in UTC."""
    model: str | None
    """The vendor's name of the model; `None` for fees and for reports that are not by model."""
    input_tokens: int | None = None
    """All input tokens, cached ones included."""
    cache_read_tokens: int | None = None
    output_tokens: int | None = None
    usd: Decimal | None = None


@dataclass(frozen=True)
class VendorReport:
    """The report in a file."""

    vendor: str
    """`openai` or `anthropic`."""
    billed: Sequence[VendorSums]
    """In the order of the file; a day and model can be in several."""
    days: tuple[date, date]
    """First and last day, in UTC."""
    rounding: Decimal = Decimal(0)
    """The most that rounding changes one of its amounts, in US dollars."""
    is_complete: bool = True
    """False if the vendor has another page."""


@dataclass(frozen=True)
class _Format:
    """A kind of report."""

    vendor: str
    fields: frozenset[str]
    """Fields that a row of it has, and of no other format."""
    day: Callable[[Row], date]
    read: Callable[[Row], dict[str, Any]]  # Any: the fields of `VendorSums` but the day
    rounding: Decimal = field(default=Decimal(0))


def read_report(text: str) -> VendorReport:
    """Read a vendor's report.

    Raises:
        InputInvalid: it is none that llmflow knows, or a field of it cannot be read.
    """
    text = text.lstrip("\ufeff \n\r\t")
    try:
        rows, is_complete = _json_rows(text) if text.startswith(("{", "[")) else (_csv_rows(text), True)
        return _report(rows, is_complete=is_complete)
    except (ValueError, LookupError, TypeError, AttributeError, OSError, DecimalException) as error:
        raise _unreadable(f"{type(error).__name__}: {error}") from None


def _report(rows: Sequence[Row], *, is_complete: bool) -> VendorReport:
    names = set(chain.from_iterable(rows))
    form = next((form for form in _FORMATS if form.fields <= names), None)
    if form is None:
        raise _unreadable("it has the fields of none" if rows else "it has no rows")
    days = [form.day(row) for row in rows]
    billed = [
        VendorSums(day=day, **form.read(row))
        for day, row in zip(days, rows, strict=True)
        if all(row.get(name) not in (None, "") for name in form.fields)  # a day without usage is a row without figures
    ]
    return VendorReport(form.vendor, billed, (min(days), max(days)), form.rounding, is_complete)


def _unreadable(why: str) -> InputInvalid:
    return InputInvalid(
        f"this is no report of a vendor ({why}): llmflow reads the usage or the costs of OpenAI and Anthropic, as JSON "
        "of their APIs or as CSV of their consoles",
        ErrorDetail(field="file"),
    )


def _csv_rows(text: str) -> Sequence[Row]:
    heading = text.partition("\n")[0]
    return list(csv.DictReader(text.splitlines(), delimiter="\t" if "\t" in heading else ","))


def _json_rows(text: str) -> tuple[Sequence[Row], bool]:
    """Return the results of all pages, each with its day, and False if a page is missing.

    Pages may follow each other, as `curl >> file` leaves them, or be an array.
    """
    pages = list(_documents(text))
    if len(pages) == 1 and isinstance(pages[0], list):
        pages = cast(list[Any], pages[0])
    rows: list[Row] = []
    for page in pages:
        for bucket in page["data"]:
            when = {name: bucket[name] for name in ("start_time", "starting_at") if name in bucket}
            rows += [{**when, **result} for result in bucket["results"]] or [when]
    return rows, not pages[-1].get("has_more")


def _documents(text: str) -> Iterator[Any]:  # Any: JSON
    decoder = json.JSONDecoder(parse_float=Decimal)
    while text:
        document, end = decoder.raw_decode(text)
        yield document
        text = text[end:].lstrip()


def _int(value: object) -> int:
    return int(Decimal(str(value or 0)))  # a console writes `59200.0`


def _unix_day(row: Row) -> date:
    return datetime.fromtimestamp(_int(row["start_time"]), UTC).date()


def _openai_usage(row: Row) -> dict[str, Any]:  # Any: see `_Format`
    return {
        "model": row.get("model") or None,
        "input_tokens": _int(row["input_tokens"]),
        "cache_read_tokens": _int(row.get("input_cached_tokens")),
        "output_tokens": _int(row["output_tokens"]),
    }


def _openai_costs(row: Row) -> dict[str, Any]:  # Any: see `_Format`
    amount = row["amount"]
    return _openai_cost(row, amount["value"], amount["currency"])


def _openai_costs_csv(row: Row) -> dict[str, Any]:  # Any: see `_Format`
    return _openai_cost(row, row["amount_value"], row["amount_currency"])


def _openai_cost(row: Row, value: object, currency: str) -> dict[str, Any]:  # Any: see `_Format`
    item, _, kind = (row.get("line_item") or "").rpartition(" | ")[2].partition(",")
    model = item.split()[0] if kind else None  # else a fee, such as `web search tool calls`
    return {"model": model, "usd": _usd(value, currency)}


def _anthropic_usage(row: Row) -> dict[str, Any]:  # Any: see `_Format`
    written = cast(Row, row.get("cache_creation") or {})
    read = _int(row["cache_read_input_tokens"])
    return {
        "model": row.get("model"),
        "input_tokens": _int(row["uncached_input_tokens"]) + read + sum(map(_int, written.values())),
        "cache_read_tokens": read,
        "output_tokens": _int(row["output_tokens"]),
    }


def _anthropic_usage_csv(row: Row) -> dict[str, Any]:  # Any: see `_Format`
    return {
        "model": row["model_version"],
        "input_tokens": sum(_int(row[name]) for name in row if name.startswith("usage_input_tokens_")),
        "cache_read_tokens": _int(row["usage_input_tokens_cache_read"]),
        "output_tokens": _int(row["usage_output_tokens"]),
    }


def _anthropic_costs(row: Row) -> dict[str, Any]:  # Any: see `_Format`
    return {"model": row.get("model"), "usd": _usd(row["amount"], row["currency"]) * _CENT}


def _anthropic_costs_csv(row: Row) -> dict[str, Any]:  # Any: see `_Format`
    return {"model": row["model"] or None, "usd": _usd(row["cost_usd"], "USD")}


def _usd(value: object, currency: str) -> Decimal:
    if currency.lower() != "usd":
        raise ValueError(f"its amounts are in {currency}, and the ledger's in US dollars")
    usd = Decimal(str(value))
    if not usd.is_finite():
        raise ValueError(f"its amount {value!r} is no number")
    return usd


def _rfc_day(row: Row) -> date:
    return datetime.fromisoformat(row["starting_at"]).astimezone(UTC).date()


def _console_day(row: Row) -> date:
    return date.fromisoformat(row["usage_date_utc"][:10])


def _fields(*names: str) -> frozenset[str]:
    return frozenset(names)


_FORMATS: Iterable[_Format] = (
    _Format("openai", _fields("start_time", "amount_value"), _unix_day, _openai_costs_csv),
    _Format("openai", _fields("start_time", "amount"), _unix_day, _openai_costs),
    _Format("openai", _fields("start_time", "input_tokens", "num_model_requests"), _unix_day, _openai_usage),
    _Format("anthropic", _fields("starting_at", "amount"), _rfc_day, _anthropic_costs),
    _Format("anthropic", _fields("starting_at", "uncached_input_tokens"), _rfc_day, _anthropic_usage),
    _Format("anthropic", _fields("usage_date_utc", "cost_usd"), _console_day, _anthropic_costs_csv, _CENT / 2),
    _Format("anthropic", _fields("usage_date_utc", "usage_output_tokens"), _console_day, _anthropic_usage_csv),
)
