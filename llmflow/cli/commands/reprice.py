"""`llmflow cost reprice`: price the ledger by the current price lists."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from llmflow.cli.apps import load
from llmflow.cli.bridge import run
from llmflow.cli.ledger import ModelOf, PromptOf, RunOf, Since, TagOf, TenantOf, Until, WorkflowOf, call_filter
from llmflow.cli.options import AppPath, AsJson
from llmflow.cli.output import dollars, err, out, plural, print_json, say
from llmflow.cli.tables import Listing
from llmflow.config import Settings
from llmflow.service import costs
from llmflow.types.reports import CallFilter, Repriced, RepriceReport
from llmflow.worker.apps import recorded_price


def reprice(
    *,
    prices: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="A prices.yaml; if left out that of LLMFLOW_PRICES, else that of --app"
        ),
    ] = None,
    app: AppPath = None,
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
    """Price the calls of the ledger again, by the current price lists.

    The cost that was frozen with each call stays; the new one goes into a column beside it, which `llmflow cost` then
    shows. Costs reported by a vendor are left alone, and no price is replaced by an unknown one. Without days, it is
    the whole ledger.

    Example: llmflow cost reprice --app workflows.research.app:app --dry-run
    """
    filter = call_filter(
        since, until, run=run_of, tenant=tenant, workflow=workflow, prompt=prompt, model=model, tag=tag
    )
    path = prices or Settings.load().prices or (load(app).prices if app else None)
    report = run(_reprice(filter, path, write=not dry_run))
    if as_json:
        print_json(report)
    else:
        _show(report)


async def _reprice(filter: CallFilter, prices: Path | None, *, write: bool) -> RepriceReport:
    price = recorded_price(prices)
    async with costs.ledger(Settings.load().store_url) as database:
        with Progress(console=err, transient=True) as shown:
            task = shown.add_task("pricing", total=None)
            return await costs.reprice(
                database,
                filter,
                price,
                write=write,
                progress=lambda done, total: shown.update(task, completed=done, total=total),
            )


def _show(report: RepriceReport) -> None:
    if report.rows:
        table = Listing(["model"], ("calls", "frozen", "unpriced then", "today", "unpriced today", "difference"))
        for row in report.rows:
            frozen = _sum(row.usd, row.unpriced_calls, row.calls)
            today = _sum(row.repriced_usd, row.repriced_unpriced_calls, row.calls)
            table.add([row.model], [f"{row.calls:,}", *frozen, *today, _difference(row)])
        out.print(table)
        _explain(report)
    else:
        say("no calls to price again")
    if report.vendor_calls:
        say(f"{report.vendor_calls:,} {plural(report.vendor_calls, 'call')} left alone: the vendor reported their cost")
    if not report.written:
        say("nothing was written: leave --dry-run out for that")


def _sum(usd: Decimal, unpriced: int, calls: int) -> tuple[str, str]:
    return "unknown" if unpriced == calls else dollars(usd), f"{unpriced:,}"


def _explain(report: RepriceReport) -> None:
    unpriced = sum(row.repriced_unpriced_calls for row in report.rows)
    if unpriced:
        say(
            f"{unpriced:,} {plural(unpriced, 'call')} of unknown price today: not in the difference. A prices.yaml can "
            "price them: --prices, LLMFLOW_PRICES or --app",
            "dim",
        )


def _difference(row: Repriced) -> str:
    more = row.difference_usd
    if more is None:
        return "-"
    return f"{'+' if more > 0 else '-' if more < 0 else ''}{dollars(abs(more))}"
