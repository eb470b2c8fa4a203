"""`llmflow prompts compare`: the versions of a prompt side by side."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

import typer
from rich.table import Table

from llmflow.cli.bridge import run
from llmflow.cli.ledger import ModelOf, Since, TagOf, TenantOf, Until, WorkflowOf, call_filter, days
from llmflow.cli.options import AsJson
from llmflow.cli.output import dollars, duration, out, plural, print_json, say
from llmflow.config import Settings
from llmflow.service import costs
from llmflow.types.reports import CallFilter, ComparedRow, Comparison, EstimatedDifference, Interval

_UNKNOWN = "-"


def compare_prompt(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the prompt: research/write")],
    *,
    by: Annotated[Literal["version", "model"], typer.Option(help="What is compared")] = "version",
    since: Since = None,
    until: Until = None,
    tenant: TenantOf = None,
    workflow: WorkflowOf = None,
    model: ModelOf = None,
    tag: TagOf = None,
    as_json: AsJson = False,
) -> None:
    """Compare the versions of a prompt, by the ledger.

    Runs, cost, latency, failures, re-asks, and the scores of the runs, with 95 % confidence intervals.

    Example: llmflow prompts compare research/write --since 30d
    """
    filter = call_filter(since, until, tenant=tenant, workflow=workflow, model=model, tag=tag)
    found = run(_compare(name, filter, by))
    if as_json:
        print_json(found)
        return
    say(f"{name} · {days(filter)}\n", "dim")
    if found.rows:
        out.print(_table(found))
        for line in _verdicts(found):
            say(line, "dim")
    else:
        say("no calls")


async def _compare(name: str, filter: CallFilter, by: Literal["version", "model"]) -> Comparison:
    async with costs.ledger(Settings.load().store_url) as database:
        return await costs.compare(database, name, filter, by)


def _table(found: Comparison) -> Table:
    """Return a column for each version: there are few of them, and many figures."""
    scores = sorted({name for row in found.rows for name in row.scores})
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("")
    for row in found.rows:
        table.add_column(f"{row.key} *" if row.key == found.baseline else row.key, justify="right", overflow="fold")
    figures = [list(_figures(row)) for row in found.rows]
    for lines in zip(*figures, strict=True):
        if any(text != _UNKNOWN for _, text in lines):
            table.add_row(lines[0][0], *(text for _, text in lines))
    for name in scores:
        table.add_row(name, *(_mean(row.scores.get(name)) for row in found.rows))
    return table


def _figures(row: ComparedRow) -> Iterator[tuple[str, str]]:
    yield "runs", f"{row.runs:,}"
    yield "calls", f"{row.calls:,}"
    unknown = f" + {row.unpriced_calls:,} of unknown price" if row.unpriced_calls else ""
    yield "cost", f"{dollars(row.usd)}{unknown}"
    yield "cost per answered run", "unknown" if row.usd_per_run is None else dollars(row.usd_per_run)
    yield "latency p50", _seconds(row.latency_p50)
    yield "latency p95", _seconds(row.latency_p95)
    yield "first token p50", _seconds(row.first_token_p50)
    yield "failures", _share(row.failures)
    yield "re-asks", _share(row.reasks)


def _seconds(latency: float | None) -> str:
    return _UNKNOWN if latency is None else duration(timedelta(seconds=latency))


def _share(of: Interval | None) -> str:
    """Format a share, such as `2.1 % (1.0 to 4.2)`."""
    if of is None or of.low is None or of.high is None:
        return _UNKNOWN
    return f"{100 * of.value:.1f} % ({100 * of.low:.1f} to {100 * of.high:.1f})"


def _mean(of: Interval | None) -> str:
    """Format a score, such as `0.91 (0.88 to 0.94), 40 runs`."""
    if of is None:
        return _UNKNOWN
    runs = f"{of.n:,} {plural(of.n, 'run')}"
    return f"{of.value:.3g}, {runs}" if of.low is None else f"{of.value:.3g} ({of.low:.3g} to {of.high:.3g}), {runs}"


def _verdicts(found: Comparison) -> Iterator[str]:
    if found.baseline is None:
        yield f"there is one {found.by}: nothing to compare it with"
        return
    yield f"* the {found.by} with the most runs; in brackets 95 % confidence intervals. Differences that were shown:"
    for row in found.rows:
        if row.key != found.baseline:
            yield f"{row.key}: {', '.join(_differences(row)) or 'no difference shown yet'}"


def _differences(row: ComparedRow) -> Iterator[str]:
    for name, of in {"failures": row.failures, "re-asks": row.reasks, **row.scores}.items():
        if of and of.verdict and of.verdict != "no difference shown yet":
            yield f"{of.verdict} {name}{_by(of.difference)}"


def _by(of: EstimatedDifference | None) -> str:
    """Format a difference, such as ` (+0.12, 0.03 to 0.21, 18 pairs)`."""
    if of is None or of.low is None or of.high is None:
        return ""
    pairs = f", {of.pairs:,} pairs" if of.pairs else ""
    return f" ({of.value:+.3g}, {of.low:.3g} to {of.high:.3g}{pairs})"
