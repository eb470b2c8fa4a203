"""One run as a page: where it stands, its steps, what it waits for, what it has cost. Once, or live until it ends."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from llmflow.cli._output import cost, plural, took, when
from llmflow.cli._target import Connection
from llmflow.client import Run
from llmflow.errors import NoWorker, RunNotCompleted
from llmflow.types.runs import PendingCall, RunState, RunStatus
from llmflow.types.steps import StepRecord, Wait
from llmflow.types.usage import Totals, UsageReport

AnyRun = Run[Any]  # Any: runs with results of every type

_MARKS = MappingProxyType(
    {
        "running": ("●", "cyan"),
        "completed": ("✓", "green"),
        "failed": ("✗", "red"),
        "cancelled": ("-", "yellow"),
        "terminated": ("✗", "red"),
        "timed_out": ("✗", "red"),
        "continued_as_new": ("→", "cyan"),
    }
)
"""State of a run or a step -> its sign and its colour."""

_EVERY = 0.5  # seconds between two looks at a run


class Report(BaseModel):
    """What `llmflow status` knows of a run."""

    model_config = ConfigDict(frozen=True)

    status: RunStatus
    failure: str | None
    """How it ended, if not well."""
    steps: tuple[StepRecord, ...] | None
    waits: tuple[Wait, ...] = ()
    """Calls that llmflow holds back by itself."""
    usage: UsageReport | None
    missing: str | None
    """Why steps and usage are not known: they need a worker."""
    url: str | None
    """Its page in the Web UI, if we know where that is."""


async def look(connection: Connection, run: AnyRun) -> Report:
    """The run as it stands. Without a worker, that is what Temporal itself knows.

    Raises:
        RunNotFound: no run has this id.
    """
    status = await run.status()
    progress, usage, missing = None, None, None
    try:
        await need_worker(connection, status)
        progress, usage = await asyncio.gather(run.progress(), run.usage())
    except NoWorker as error:
        missing = error.message
    return Report(
        status=status,
        failure=await _failure(run, status.state),
        steps=progress.steps if progress else None,
        waits=progress.waits if progress else (),
        usage=usage,
        missing=missing,
        url=connection.link(status.id, status.run_id),
    )


async def need_worker(connection: Connection, status: RunStatus) -> None:
    """Say at once that nobody can answer; a query would wait 10 s for a worker to come.

    Raises:
        NoWorker: nothing polls the run's task queue.
    """
    if not await connection.client.workers(status.task_queue):
        raise NoWorker(f"no worker serves task queue {status.task_queue}: start one with `llmflow worker`")


async def watch(connection: Connection, run: AnyRun, console: Console) -> Report:
    """Show the run live until it ends; where nobody watches, nothing.

    Raises:
        RunNotFound: no run has this id.
    """
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while (report := await look(connection, run)).status.state == "running":
            if console.is_terminal:
                # The empty line is for the `^C` of a terminal, which would otherwise break the line above.
                live.update(Group(page(report), ""), refresh=True)
            await asyncio.sleep(_EVERY)
    return report


def state(of: RunState) -> Text:
    """A state with its sign, in its colour."""
    sign, colour = _MARKS[of]
    return Text(f"{sign} {of.replace('_', ' ')}", colour)


def page(report: Report) -> RenderableType:
    """The whole report."""
    return Group(*_parts(report))


def spent(totals: Totals) -> str:
    """Such as `8 calls · 12,345 tokens in · 1,203 out · $0.0123`."""
    calls = f"{totals.calls} model {plural(totals.calls, 'call')}"
    tokens = f"{totals.usage.input_tokens:,} tokens in · {totals.usage.output_tokens:,} out"
    return f"{calls} · {tokens} · {cost(totals)}"


async def _failure(run: AnyRun, how: RunState) -> str | None:
    if how in ("running", "completed"):
        return None
    try:
        await run.result()
    except RunNotCompleted as error:
        return error.message
    return None


def _parts(report: Report) -> Iterator[RenderableType]:
    status = report.status
    yield Text.assemble((status.id, "bold"), "  ", state(status.state))
    ended = "took" if status.closed_at else "for"
    times = f"started {when(status.started_at)}, {ended} {took(status.started_at, status.closed_at)}"
    yield Text(f"{status.workflow} on {status.task_queue} · {times} · {status.events} events", "dim")
    if status.tags:
        yield Text(f"tags: {', '.join(status.tags)}", "dim")
    if report.failure:
        yield Text(f"\n{report.failure}", "red")
    if report.steps:
        yield Text()
        yield step_table(report.steps)
    if status.pending:
        yield Text()
        yield _pending(status.pending)
    for wait in report.waits:
        where = f"{wait.path}  " if wait.path else ""
        yield Text.assemble("\n  ", (f"waits until {wait.until:%H:%M:%S} UTC  ", "dim"), where, (wait.reason, "yellow"))
    yield Text()
    if report.usage:
        yield Text(spent(report.usage.total))
    if report.missing:
        yield Text(f"steps and usage are not known: {report.missing}", "yellow")
    if report.url:
        yield Text(report.url, "blue", no_wrap=True, overflow="ignore")  # whole, so that a click finds it


def step_table(steps: Sequence[StepRecord]) -> Table:
    """The steps of a run, each above those inside it, with progress and time."""
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_column(overflow="fold", style="red")
    for step in _tree(steps):
        sign, colour = _MARKS[step.status]
        *above, name = step.path.split("/")
        label = Text.assemble("  " * (len(above) + 1), (f"{sign} ", colour), name)
        table.add_row(label, _progress(step), took(step.started_at, step.ended_at), Text(step.error or ""))
    return table


def _tree(steps: Sequence[StepRecord]) -> Iterator[StepRecord]:
    """Each step above those inside it. Parallel ones began in any order."""
    inside: dict[str, list[StepRecord]] = defaultdict(list)
    for step in reversed(steps):
        inside[step.path.rpartition("/")[0]].append(step)
    waiting = inside[""]
    while waiting:
        yield (step := waiting.pop())
        waiting += inside[step.path]


def _progress(step: StepRecord) -> str:
    if step.total is not None:
        return f"{step.done or 0}/{step.total}"
    return str(step.done) if step.done is not None else ""


def _pending(calls: Sequence[PendingCall]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column()
    table.add_column(overflow="fold", style="yellow")
    for call in calls:
        attempt = f"attempt {call.attempt}" if call.attempt > 1 else ""
        table.add_row(Text.assemble("  ", ("waits for ", "dim"), call.id), attempt, Text(call.last_failure or ""))
    return table
