"""`llmflow cost reconcile`: a vendor's own report held against the ledger."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from llmflow.cli.bridge import run
from llmflow.cli.exit import Exit
from llmflow.cli.options import AsJson
from llmflow.cli.output import dollars, out, plural, print_json, say
from llmflow.cli.tables import Listing
from llmflow.config import Settings
from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.service.costs import ledger
from llmflow.service.reconciliation import Figures, ReconciledRow, Reconciliation, reconcile
from llmflow.service.vendor_reports import VendorReport, read_report

_FIGURES = {"input_tokens": "input tokens", "cache_read_tokens": "cached", "output_tokens": "output tokens"}


def reconcile_(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Usage or costs of OpenAI or Anthropic, JSON or CSV")
    ],
    *,
    provider: Annotated[
        str | None,
        typer.Option(help="Provider of models.yaml that the vendor billed [default: that of the vendor's name]"),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, max=100, metavar="PERCENT", help="By this much of a figure both may differ")
    ] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Hold a vendor's own report of usage or costs against the ledger, by day and model.

    Shows where tokens or US dollars differ, and what only one side has. Exits with 1 if there is any. Days are in UTC;
    names of models are compared without their dates.

    Example: llmflow cost reconcile openai-usage.csv --tolerance 0.5
    """
    try:
        report = read_report(file.read_text("utf-8"))
    except UnicodeDecodeError:
        raise InputInvalid(f"{file} is no text in UTF-8", ErrorDetail(field="file")) from None
    found = run(_reconcile(report, Decimal(str(tolerance)) / 100, provider))
    if as_json:
        print_json(found)
    else:
        _show(found)
    if found.differs:
        raise typer.Exit(Exit.FAILED)


async def _reconcile(report: VendorReport, tolerance: Decimal, provider: str | None) -> Reconciliation:
    async with ledger(Settings.load().store_url) as database:
        return await reconcile(database, report, tolerance, provider)


def _show(found: Reconciliation) -> None:
    say(f"{found.vendor} · {found.first} to {found.last}, UTC\n", "dim")
    table = Listing(("day", "model", "figure"), ("vendor", "ledger", "difference"))
    for row in found.rows:
        for figure, cells in _lines(row):
            table.add([str(row.day), row.model or "-", figure], cells)
    if found.differs:
        out.print(table)
    for note in _notes(found):
        say(note, "dim")


def _lines(row: ReconciledRow) -> Iterator[tuple[str, list[str]]]:
    """Yield a line for each figure that differs, or that only one side has."""
    for name in Figures.model_fields:
        theirs, ours = (getattr(of, name) if of else None for of in (row.vendor, row.ledger))
        if name in row.differing or (row.verdict.startswith("only") and (theirs or ours)):
            yield _FIGURES.get(name, "cost"), [_said(name, theirs), _said(name, ours), _difference(name, theirs, ours)]


def _said(name: str, value: Decimal | int | None) -> str:
    if value is None:
        return "-"
    return dollars(Decimal(value)) if name == "usd" else f"{value:,}"


def _difference(name: str, theirs: Decimal | int | None, ours: Decimal | int | None) -> str:
    if theirs is None or ours is None:
        return "-"
    more = theirs - ours
    return f"{'+' if more > 0 else '-'}{_said(name, abs(more))}"


def _notes(found: Reconciliation) -> Iterator[str]:
    count = Counter(row.verdict for row in found.rows)
    agree = f"{count['agrees']:,} of {len(found.rows):,} days of models agree within {float(found.tolerance):.2%}"
    yield agree if found.rows else "neither side has anything"
    if only := count["only vendor"]:
        yield f"{only:,} only the vendor has: calls past llmflow, another store, or fees that are no model's"
    if only := count["only ledger"]:
        yield f"{only:,} only the ledger has: another account, or a report that is late or only of some models"
    differing = [row for row in found.rows if row.verdict == "differs"]
    if lost := sum(row.lost_calls for row in differing):
        yield f"{lost:,} {plural(lost, 'call')} cut or lost: the vendor may have billed them, with tokens unknown to us"
    if unpriced := sum(row.unpriced_calls for row in differing):
        yield f"{unpriced:,} {plural(unpriced, 'call')} of unknown price: not in the ledger's cost"
    if not found.is_complete:
        yield "the vendor has another page (`has_more`), which is not in the file: what is on it differs here"
