"""`llmflow status`, `llmflow usage`: the state of a run, and its cost."""

from collections.abc import Mapping
from typing import Annotated

import typer

from llmflow.cli.bridge import run
from llmflow.cli.options import AsJson, RunId
from llmflow.cli.output import cost, err, out, print_json, say
from llmflow.cli.run_page import page, watch
from llmflow.cli.tables import Listing
from llmflow.cli.target import connected
from llmflow.cli.unreadable import end_if_unreadable
from llmflow.service.runs import Report, look, usage_of
from llmflow.types.usage import Totals, UsageReport


def status(
    run_id: RunId,
    *,
    live: Annotated[bool, typer.Option("--watch", help="Show it live until the run ends")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the state of a run: steps, waits, cost.

    Steps and cost come from a worker; without one, the rest is still shown.

    Example: llmflow status research-calm-otter-7f3a --watch
    """
    report = run(_status(run_id, live=live))
    if as_json:
        print_json(report)
    else:
        out.print(page(report), crop=False)
    end_if_unreadable(report.status.unreadable)


async def _status(id: str, *, live: bool) -> Report:
    connection = await connected()
    one = connection.client.run(id)
    return await watch(connection, one, err) if live else await look(connection, one)


def usage(run_id: RunId, *, as_json: AsJson = False) -> None:
    """Show tokens and money of a run, by model and by prompt version.

    Example: llmflow usage research-calm-otter-7f3a --json
    """
    report = run(_usage(run_id))
    if as_json:
        print_json(report)
    elif not (report.total.calls or report.taken.calls):
        say("no model has answered in this run")
    else:
        out.print(usage_table(report))


async def _usage(id: str) -> UsageReport:
    return await usage_of((await connected()).client, id)


def usage_table(report: UsageReport) -> Listing:
    """Return a row for each model, one for each prompt version, and the total."""
    table = Listing([""], ("calls", "tokens in", "cached", "tokens out", "cost"))
    _section(table, "by model", report.by_model)
    _section(table, "by prompt", report.by_prompt)
    table.add(["total"], _figures(report.total), "bold")
    if report.taken.calls:
        table.add([])
        _section(table, "reused from the earlier run", report.taken_by_prompt)
    return table


def _section(table: Listing, title: str, rows: Mapping[str, Totals]) -> None:
    table.add([title], style="dim")
    for name, totals in sorted(rows.items()):
        table.add([f"  {name}"], _figures(totals))
    table.add([])


def _figures(totals: Totals) -> tuple[str, ...]:
    used = totals.usage
    tokens = (used.input_tokens, used.cache_read_tokens, used.output_tokens)
    return (f"{totals.calls:,}", *(f"{count:,}" for count in tokens), cost(totals))
