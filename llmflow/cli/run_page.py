"""Page about one run: its state, steps, waits and cost. Once, or live until it ends."""

from collections.abc import Awaitable, Callable, Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from llmflow.cli.hints import hint
from llmflow.cli.output import cost, dollars, near, plural, took, when
from llmflow.cli.step_tables import MARKS, compensation_table, decision, step_table
from llmflow.service import runs
from llmflow.service.connections import Connection
from llmflow.service.obstacles import Obstacle
from llmflow.service.runs import AnyRun, Report
from llmflow.types.approvals import Waiting
from llmflow.types.machines import ways
from llmflow.types.runs import PendingCall, RunState, RunStatus
from llmflow.types.texts import command_line
from llmflow.types.usage import Totals, UsageReport


async def watch(
    connection: Connection, run: AnyRun, console: Console, *, meanwhile: Callable[[], Awaitable[object]] | None = None
) -> Report:
    """Show the run live until it ends; without a terminal, print a line for each change.

    `meanwhile` is called at each read; it prints lines of its own instead.

    Raises:
        RunNotFound: no run has this id.
    """
    said = ""
    with Live(console=console, auto_refresh=False, transient=True) as live:
        async for report in runs.watch(connection, run):
            if report.status.state != "running":
                return report
            if console.is_terminal:
                # The empty line is for the `^C` of a terminal, which would otherwise break the line above.
                live.update(Group(page(report), ""), refresh=True)
            elif not meanwhile and (now := _in_a_line(report)) != said:
                said = now
                console.print(Text(now), soft_wrap=True)
            if meanwhile:
                await meanwhile()
    raise AssertionError("the last report is that of the end")


def _in_a_line(report: Report) -> str:
    """Return what changes in a run: `running · write · 3 model calls · ... · asks publish`."""
    now = [step.path for step in report.steps or () if step.status == "running"]
    paid = [spent(report.usage.total)] if report.usage and report.usage.total.calls else []
    asks = [f"asks {one.name}" for one in report.status.approvals]
    waits = [*filter(None, (report.status.stuck,)), *(one.reason for one in report.obstacles)]
    return " · ".join((report.status.state, *now, *paid, *asks, *waits))


def state(of: RunState) -> Text:
    """Return a state with its sign, in its colour."""
    sign, colour = MARKS[of]
    return Text(f"{sign} {of.replace('_', ' ')}", colour)


def page(report: Report) -> RenderableType:
    """Return the whole report: first what people must know, then steps, which may be longer than the screen."""
    return Group(*_parts(report))


def spent(totals: Totals) -> str:
    """Format the usage, such as `8 calls · 12,345 tokens in · 1,203 out · $0.0123`."""
    calls = f"{totals.calls} model {plural(totals.calls, 'call')}"
    tokens = f"{totals.usage.input_tokens:,} tokens in · {totals.usage.output_tokens:,} out"
    return f"{calls} · {tokens} · {cost(totals)}"


def taken_and_paid(usage: UsageReport) -> str:
    """Return what was spent, and for a forked run what was reused, such as `reused: 2 model calls`."""
    if not usage.taken.calls:
        return spent(usage.total)
    return f"reused: {spent(usage.taken)}\npaid: {spent(usage.total)}"


def _parts(report: Report) -> Iterator[RenderableType]:
    status = report.status
    yield from _head(status)
    if report.failure:
        yield Text(f"\n{report.failure}", "yellow" if status.stopped else "red")
    if status.stuck:
        place = f" ({near(status.stuck_at)})" if status.stuck_at else ""
        yield Text(f"\nblocked by a bug until its code is fixed: {status.stuck}{place}", "red")
    for one in status.approvals:
        yield _asked(status.id, one)
    yield from map(_obstacle, report.obstacles)
    if report.usage or report.missing or report.url:
        yield Text()
    if report.usage:
        yield Text(taken_and_paid(report.usage))
    if report.missing:
        why = " until then" if status.stuck else f": {report.missing}{hint(report.remedy)}"
        yield Text(f"steps and usage are not known{why}", "yellow")
    if report.url:
        yield Text(report.url, "blue", no_wrap=True, overflow="ignore")  # whole, so that a terminal links it
    yield from _done(report)
    if status.pending:
        yield Text()
        yield _pending(status.pending)
    for wait in report.waits:
        where = f"{wait.path}  " if wait.path else ""
        yield Text.assemble("\n  ", (f"waits until {wait.until:%H:%M:%S} UTC  ", "dim"), where, (wait.reason, "yellow"))


def _head(status: RunStatus) -> Iterator[Text]:
    """Return the id and the state of the run."""
    yield Text.assemble((status.id, "bold"), "  ", state(status.state))
    ended = "took" if status.closed_at else "for"
    times = f"started {when(status.started_at)}, {ended} {took(status.started_at, status.closed_at)}"
    if status.begins_at and status.events == 1 and status.state == "running":  # a signal may have begun it earlier
        times = f"started {when(status.started_at)}, begins at {when(status.begins_at)}"
    yield Text(
        f"{status.workflow} on {status.task_queue} · {times} · {status.events} {plural(status.events, 'event')}", "dim"
    )
    if status.parent:
        yield Text(f"child of {status.parent}", "dim")
    if status.paused:
        yield Text("paused by Temporal until somebody unpauses it", "yellow")
    if status.forked_from:
        yield Text(f"fork of {status.forked_from}", "dim")
    if status.tags:
        yield Text(f"tags: {', '.join(status.tags)}", "dim")
    if known := list(_known_by(status)):
        yield Text(" · ".join(known), "dim")


def _known_by(status: RunStatus) -> Iterator[str]:
    if status.tenant:
        yield f"tenant {status.tenant}"
    if status.user:
        yield f"user {status.user}"
    if status.budget:
        yield f"budget {dollars(status.budget.usd)}"


def _done(report: Report) -> Iterator[RenderableType]:
    if report.steps:
        yield Text()
        yield step_table(report.steps)
    if undoing := [one for one in report.compensations if one.status in ("undoing", "undone", "failed")]:
        yield Text("\ncompensations", "dim")
        yield compensation_table(undoing)
    for way in ways(report.transitions):
        yield Text(f"\n  {way}", "cyan")
    if report.decided:
        yield Text()
        yield from map(decision, report.decided)


def _asked(run: str, one: Waiting) -> Text:
    whom = ", ".join(one.approvers) or "anyone"
    until = f", until {when(one.deadline)}" if one.deadline else ""
    return Text.assemble(
        ("\n  ? ", "cyan"),
        (one.name, "bold"),
        f" is asked of {whom} since {when(one.asked_at)}{until}\n",
        (f"    {command_line('llmflow', 'approvals', 'show', run, one.name)}", "dim"),
    )


def _obstacle(one: Obstacle) -> Text:
    child = f"waits for child {one.child}: " if one.child else ""
    return Text(f"\n{child}{one.reason}{hint(one.remedy)}", "yellow")


def _pending(calls: Sequence[PendingCall]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column()
    table.add_column(overflow="fold", style="yellow")
    for call in calls:
        attempt = f"attempt {call.attempt}" if call.attempt > 1 else ""
        table.add_row(Text.assemble("  ", ("waits for ", "dim"), call.id), attempt, Text(call.last_failure or ""))
    return table
