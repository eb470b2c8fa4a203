"""`llmflow cost export`: costs for the tools of people who pay."""

from collections.abc import Sequence
from typing import Annotated

import typer

from llmflow.cli.bridge import run
from llmflow.cli.csv_text import csv_text
from llmflow.cli.ledger import ModelOf, PromptOf, RunOf, Since, TagOf, TenantOf, Until, WorkflowOf, call_filter, days
from llmflow.cli.output import dollars, plural, print_text, say
from llmflow.config import Settings
from llmflow.errors import InputInvalid
from llmflow.service.costs import ledger, recent, report_costs
from llmflow.service.focus import VERSION, Row, focus_rows
from llmflow.types.reports import CallFilter, CostReport


def export(
    *,
    focus: Annotated[bool, typer.Option("--focus", help=f"CSV in FOCUS {VERSION}, a standard for bills")] = False,
    since: Since = None,
    until: Until = None,
    run_of: RunOf = None,
    tenant: TenantOf = None,
    workflow: WorkflowOf = None,
    prompt: PromptOf = None,
    model: ModelOf = None,
    tag: TagOf = None,
) -> None:
    """Print known costs for tools that add up all bills: a row for each day, model, tenant, workflow, prompt and tags.

    By default the last 30 days, in UTC. What is of unknown price, and what was lost, is not in it, but is told.

    Example: llmflow cost export --focus --since 2026-11-01 --until 2026-11-30
    """
    if not focus:
        raise InputInvalid("name the format: --focus")
    filter = call_filter(
        since, until, run=run_of, tenant=tenant, workflow=workflow, prompt=prompt, model=model, tag=tag
    )
    rows, report = run(_export(recent(filter)))
    print_text(csv_text(list(rows[0]), (row.values() for row in rows)) if rows else "", end="")
    total = report.total
    said = f"{len(rows):,} {plural(len(rows), 'row')}, {dollars(total.usd)}, {days(report.filter)}"
    unpriced = f"; {total.unpriced_calls:,} of unknown price are not in it" if total.unpriced_calls else ""
    lost = f"; {total.lost_calls:,} cut or lost are not in it" if total.lost_calls else ""
    say(f"{said}{unpriced}{lost}", "dim")


async def _export(filter: CallFilter) -> tuple[Sequence[Row], CostReport]:
    async with ledger(Settings.load().store_url) as database:
        return await focus_rows(database, filter), await report_costs(database, filter, [])
