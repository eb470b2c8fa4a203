"""`llmflow cost reprice`: the ledger once more, by the price lists of today."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from llmflow.cli._ledger import ModelOf, PromptOf, RunOf, Since, TagOf, TenantOf, Until, WorkflowOf, ledger
from llmflow.cli._options import AsJson
from llmflow.cli._output import dollars, err, out, plural, print_json, say
from llmflow.cli._run import run
from llmflow.config import Settings
from llmflow.stores.repricing import reprice as reprice_calls
from llmflow.types.reports import CallFilter, Repriced, RepriceReport
from llmflow.worker import recorded_price


def reprice(
    *,
    prices: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A prices.yaml [default: the one of LLMFLOW_PRICES, if any]"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference, and write nothing")] = False,
    since: Since = None,
    until: Until = None,
    run_of: RunOf = None,
    tenant: TenantOf = None,
    workflow: WorkflowOf = None,
    prompt: PromptOf = None,
    model: ModelOf = None,
    tag: TagOf = None,
    as_json: AsJson = False,
) -> None:
    """Price the calls of the ledger again, by the price lists of today.

    The cost that was frozen with each call stays; the new one goes into a column beside it, which `llmflow cost` then
    shows. What a vendor itself reported is left alone. Without days, it is the whole ledger.

    Example: llmflow cost reprice --prices prices.yaml --dry-run
    """
    filter = CallFilter(
        since=since, until=until, run=run_of, tenant=tenant, workflow=workflow, prompt=prompt, model=model, tag=tag
    )
    report = run(_reprice(filter, prices or Settings.load().prices, write=not dry_run))
    if as_json:
        print_json(report)
    else:
        _show(report)


async def _reprice(filter: CallFilter, prices: Path | None, *, write: bool) -> RepriceReport:
    price = recorded_price(prices)
    async with ledger() as database:
        with Progress(console=err, transient=True) as shown:
            task = shown.add_task("pricing", total=None)
            return await reprice_calls(
                database,
                filter,
                price,
                write=write,
                progress=lambda done, total: shown.update(task, completed=done, total=total),
            )


def _show(report: RepriceReport) -> None:
    if report.rows:
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        table.add_column("model", overflow="fold")
        for heading in ("calls", "frozen", "unpriced", "today", "unpriced", "difference"):
            table.add_column(heading, justify="right")
        for row in report.rows:
            frozen = dollars(row.usd), f"{row.unpriced_calls:,}"
            today = dollars(row.repriced_usd), f"{row.repriced_unpriced_calls:,}"
            table.add_row(row.model, f"{row.calls:,}", *frozen, *today, _difference(row))
        out.print(table)
    else:
        say("no calls to price again")
    if report.vendor_calls:
        say(f"{report.vendor_calls:,} {plural(report.vendor_calls, 'call')} left alone: the vendor said what they cost")
    if not report.written:
        say("nothing was written: leave --dry-run out for that")


def _difference(row: Repriced) -> str:
    more = row.repriced_usd - row.usd
    return f"{'+' if more > 0 else '-' if more < 0 else ''}{dollars(abs(more))}"
