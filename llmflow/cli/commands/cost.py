"""`llmflow cost`: what was spent, by the ledger."""

from collections.abc import Iterator
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Annotated, get_args

import typer

from llmflow.cli.bridge import run
from llmflow.cli.csv_text import csv_text
from llmflow.cli.group import lazy_group
from llmflow.cli.ledger import (
    ModelOf,
    PromptOf,
    RunOf,
    Since,
    TagOf,
    TenantOf,
    Until,
    WorkflowOf,
    Zone,
    call_filter,
    days,
)
from llmflow.cli.options import AsJson
from llmflow.cli.output import dollars, out, plural, print_json, print_text, say
from llmflow.cli.tables import Listing
from llmflow.config import Settings
from llmflow.errors import did_you_mean
from llmflow.service.costs import ledger, report_costs
from llmflow.types.reports import CallFilter, CostReport, CostRow, Dimension, Spent
from llmflow.types.usage import COUNTS

_DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
_SHOWN = 30  # rows on a screen; --json and --csv have all

app = typer.Typer(
    invoke_without_command=True,
    cls=lazy_group(
        {
            None: {
                "reprice": "llmflow.cli.commands.reprice:reprice",
                "export": "llmflow.cli.commands.cost_export:export",
                "reconcile": "llmflow.cli.commands.reconcile:reconcile_",
            }
        }
    ),
)


@app.callback()
def cost(
    context: typer.Context,
    *,
    by: Annotated[
        str | None,
        typer.Option(metavar="WORD,...", help=f"Dimensions of the rows, one or some of: {', '.join(_DIMENSIONS)}"),
    ] = None,
    since: Since = None,
    until: Until = None,
    zone: Zone = None,
    run_of: RunOf = None,
    tenant: TenantOf = None,
    workflow: WorkflowOf = None,
    prompt: PromptOf = None,
    model: ModelOf = None,
    tag: TagOf = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV on stdout")] = False,
) -> None:
    """Show what was spent, by the ledger: the record of every model call.

    By default the last 30 days, by model; with --run, that run from its beginning. Calls of unknown price are counted
    apart.

    Example: llmflow cost --by prompt --since 7d
    """
    if context.invoked_subcommand:
        if any(context.params.values()):
            raise typer.BadParameter(f"write the options after `{context.invoked_subcommand}`")
        return
    if as_json and as_csv:
        raise typer.BadParameter("--json or --csv: both cannot be on stdout")
    zone = zone or UTC
    filter = call_filter(
        since, until, zone, run=run_of, tenant=tenant, workflow=workflow, prompt=prompt, model=model, tag=tag
    )
    report, name = run(_report(filter, _parse_by(by or "model"), zone))
    if as_json:
        print_json(report)
    elif as_csv:
        print_text(_csv(report), end="")
    else:
        _show(report, name, zone)


def _parse_by(text: str) -> list[Dimension]:
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in _DIMENSIONS:
            known = f"{did_you_mean(word, _DIMENSIONS)}: give one or some of {', '.join(_DIMENSIONS)}"
            raise typer.BadParameter(f"{word!r} is none{known}", param_hint="--by")
    return [one for word in words for one in _DIMENSIONS if one == word]


async def _report(filter: CallFilter, by: list[Dimension], zone: tzinfo) -> tuple[CostReport, str]:
    async with ledger(Settings.load().store_url) as database:
        return await report_costs(database, filter, by, zone), database.name


def _csv(report: CostReport) -> str:
    counts = tuple(name for name in Spent.model_fields if name.endswith("calls"))
    amounts = tuple(name for name in Spent.model_fields if name.endswith("usd"))

    def cells(row: CostRow) -> Iterator[object]:
        yield from (row.key[one] or "" for one in report.by)
        yield from (getattr(of, name) for of, names in ((row, counts), (row.usage, COUNTS)) for name in names)
        yield from ("" if (usd := getattr(row, name)) is None else format(usd, "f") for name in amounts)

    return csv_text([*report.by, *counts, *COUNTS, *amounts], map(cells, report.rows))


def _show(report: CostReport, name: str, zone: tzinfo) -> None:
    said = days(report.filter, zone)
    if not report.rows:
        say(f"no calls · {said} · {name}")
        return
    say(f"{said} · {name}\n", "dim")
    out.print(cost_table(report))
    for note in _notes(report):
        say(note, "dim")


def cost_table(report: CostReport) -> Listing:
    """Return a row for each combination of the dimensions, and the total."""
    repriced = ("repriced",) if report.total.repriced_usd is not None else ()
    counts = ("unpriced", "failed", "lost", "held back")
    table = Listing(report.by, ("calls", "tokens in", "cached", "out", "cost", *counts, *repriced))
    for row in report.rows[:_SHOWN]:
        table.add([row.key[one] or "-" for one in report.by], list(_figures(row, repriced=bool(repriced))))
    table.add([])
    table.add(["total"], list(_figures(report.total, repriced=bool(repriced))), "bold")
    return table


def _figures(of: Spent, *, repriced: bool) -> Iterator[str]:
    used = of.usage
    yield f"{of.calls:,}"
    for tokens in (used.input_tokens, used.cache_read_tokens, used.output_tokens):
        yield _short(tokens)
    yield "unknown" if of.calls and of.unpriced_calls == of.calls else dollars(of.usd)
    for count in (of.unpriced_calls, of.failed_calls, of.lost_calls, of.unasked_calls):
        yield f"{count:,}"
    if repriced:
        yield "-" if of.repriced_usd is None else dollars(of.repriced_usd)


def _range(total: Spent) -> str:
    """Format what lost calls may cost."""
    if total.lost_unknown_calls:
        return f"{dollars(total.lost_low_usd)} or more, too" if total.lost_low_usd else "them, too"
    return f"{dollars(total.lost_low_usd)} to {dollars(total.lost_high_usd)}, too"


def _short(tokens: int) -> str:
    """Format tokens, such as `9,999`, `12.3k`, `4.5M`: columns of millions would leave no room for names."""
    if tokens < 10_000:
        return f"{tokens:,}"
    return f"{tokens / 1000:.1f}k" if tokens < 1_000_000 else f"{tokens / 1_000_000:,.1f}M"


def _notes(report: CostReport) -> Iterator[str]:
    total, more = report.total, len(report.rows) - _SHOWN
    if more > 0:
        yield f"and {more:,} {plural(more, 'row')} more: --json and --csv have all"
    if "tag" in report.by:
        yield "a call is in the row of each of its tags, and once in the total"
    yield from _money_notes(total)
    if total.unpriced_calls:
        yield f"{total.unpriced_calls:,} {plural(total.unpriced_calls, 'call')} of unknown price: not in the cost"
    if total.lost_calls:
        lost = f"{total.lost_calls:,} {plural(total.lost_calls, 'call')} cut or lost"
        yield f"{lost}: the vendor may bill {_range(total)}"


def _money_notes(total: Spent) -> Iterator[str]:
    parts = {"input": total.input_usd, "output": total.output_usd, "tools": total.charged_usd}
    parts |= {"fees": total.usd - sum(parts.values()) - total.undivided_usd, "undivided": total.undivided_usd}
    if total.usd != total.undivided_usd:
        yield " · ".join(f"{name} {dollars(usd)}" for name, usd in parts.items() if usd)
    reused = f"{total.reused_calls:,} {plural(total.reused_calls, 'answer')} used again"
    saved = {"caches": total.cache_saved_usd, "service tiers": total.tier_saved_usd, reused: total.reused_usd}
    if any(saved.values()):
        yield "saved: " + " · ".join(f"{_signed(usd)} by {name}" for name, usd in saved.items() if usd)


def _signed(usd: Decimal) -> str:
    return f"-{dollars(-usd)}" if usd < 0 else dollars(usd)
