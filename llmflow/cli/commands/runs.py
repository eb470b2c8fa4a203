"""`llmflow list`, `result`, `cancel`, `terminate`: runs, wherever they were started."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from llmflow.cli.bridge import run
from llmflow.cli.exit import Exit
from llmflow.cli.hints import hint
from llmflow.cli.options import AsJson, RunId, parse_duration, parse_moment
from llmflow.cli.output import err, out, print_json, print_text, say, took, when
from llmflow.cli.run_page import state as shown_state
from llmflow.cli.tables import Listing
from llmflow.cli.target import connected
from llmflow.cli.unreadable import end_if_unreadable
from llmflow.config import Settings
from llmflow.errors import InputInvalid, RunNotCompleted
from llmflow.service.stuck import StuckRun, stuck_runs
from llmflow.types.runs import RunPage, RunState, RunStatus
from llmflow.types.texts import command_line


def list_runs(
    *,
    workflow: Annotated[str | None, typer.Option(help="Only runs of this workflow type")] = None,
    state: Annotated[
        RunState | None,
        typer.Option(metavar="STATE", help="Only runs that are: running, completed, failed, cancelled, terminated ..."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=parse_moment, metavar="2h|DATE", help="Only runs started since: 2h (ago), 2026-11-21"),
    ] = None,
    query: Annotated[
        str | None, typer.Option(help="More of Temporal's list filter: \"WorkflowId STARTS_WITH 'research-'\"")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Continue after the page that printed this")] = None,
    stuck: Annotated[
        bool, typer.Option("--stuck", help="Only runs that cannot go on, with the reason: a bug, or no worker")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first. A run blocked by a bug is `running` here: `--stuck` finds it.

    A run that another run has started, such as a batch of a fan-out, is marked with ↳.

    Example: llmflow list --state failed --since 2h
    """
    if stuck:
        if state or since or query or cursor:
            raise typer.BadParameter("combine it with --workflow and --limit only", param_hint="--stuck")
        _show_stuck(run(_stuck(workflow, limit)), as_json=as_json)
        return

    async def find() -> RunPage:
        client = (await connected()).client
        return await client.list(workflow=workflow, state=state, since=since, query=query, limit=limit, cursor=cursor)

    page = run(find())
    if as_json:
        print_json({"runs": [_listed(one) for one in page.runs], "cursor": page.cursor})
    elif not page.runs:
        say("no runs" if cursor is None else "no more runs")
    else:
        out.print(run_table(page))
        if any(one.parent for one in page.runs):
            say("\n↳ children of other runs", "dim")
    if page.cursor and not as_json:
        say(f"\nmore: the same command with --cursor {page.cursor}", "dim")
    unreadable = [one.unreadable for one in page.runs if one.unreadable]
    end_if_unreadable(next(iter(unreadable), None), len(unreadable))


async def _stuck(workflow: str | None, limit: int) -> Sequence[StuckRun]:
    return await stuck_runs((await connected()).client, workflow, limit)


def _show_stuck(found: Sequence[StuckRun], *, as_json: bool) -> None:
    if as_json:
        print_json({"runs": [{**dict(one.run), "reason": one.reason, "remedy": one.remedy} for one in found]})
    elif not found:
        say("no run is stuck")
    else:
        table = Listing(("run", "workflow", "reason"), ("started",))
        for one in found:
            reason = f"{one.reason}{hint(one.remedy)}"
            table.add((one.run.id, one.run.workflow, reason), (when(one.run.started_at),))
        out.print(table)


def _listed(one: RunStatus) -> dict[str, object]:
    """Return the status without what a list does not know."""
    unknown = ("history_bytes", "pending", "children", "stuck", "stuck_at")
    return {name: value for name, value in one if name not in unknown}


def result(
    run_id: RunId,
    *,
    timeout: Annotated[
        timedelta | None, typer.Option(parser=parse_duration, metavar="30s|5m|2h", help="Wait at most this long")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Wait for a run to end, and print its result.

    It is JSON; without --json, a text is printed as it is. With --json, a run without a result prints its id, its state
    and its failure.

    Example: llmflow result research-calm-otter-7f3a --timeout 5m
    """
    found = run(_result(run_id, timeout, as_json=as_json))
    if isinstance(found, str) and not as_json:
        print_text(found)
    else:
        print_json(found)


async def _result(
    id: str, timeout: timedelta | None, *, as_json: bool
) -> Any:  # Any: the result of the user's workflow
    one = (await connected()).client.run(id)
    try:
        async with asyncio.timeout(timeout.total_seconds() if timeout else None):
            return await one.result()
    except RunNotCompleted as error:
        if as_json:
            status = await one.status()
            print_json({"id": id, "run_id": status.run_id, "state": status.state, "failure": error.message})
        raise
    except TimeoutError:
        say(f"run {id!r} has not ended yet; it continues: `{command_line('llmflow', 'status', id)} --watch`")
        raise typer.Exit(Exit.TIMEOUT) from None


def cancel(run_id: RunId, *, as_json: AsJson = False) -> None:
    """Ask a run to stop.

    Its in-flight calls are cut, and its compensations and other clean-up code run.

    Example: llmflow cancel research-calm-otter-7f3a
    """
    status = run(_cancel(run_id))
    if as_json:
        print_json(status)
    elif status.state != "running":
        say(f"{status.id} has ended already: {status.state}")
    else:
        say(f"asked {status.id} to stop; `{command_line('llmflow', 'status', status.id)}` shows when it has")


async def _cancel(id: str) -> RunStatus:
    one = (await connected()).client.run(id)
    await one.cancel()
    return await one.status()


_WARNING = "ends it at once: its code no longer runs, so no compensation and no other clean-up"


def terminate(
    run_id: RunId,
    *,
    reason: Annotated[str | None, typer.Option(help="Why, for its history [default: who did it]")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")] = False,
    as_json: AsJson = False,
) -> None:
    """End a run at once; compensations do NOT run.

    Its code no longer runs, so nothing that it did is undone. Its in-flight calls are cut, and its child workflows are
    terminated, too. `llmflow cancel` asks it to stop instead: prefer that as long as the run still reacts.

    Example: llmflow terminate research-calm-otter-7f3a --reason "started twice"
    """
    if not (yes or _agreed(run(_status(run_id)))):
        raise typer.Exit(Exit.INTERRUPTED)
    status = run(_terminate(run_id, f"by {Settings.load().by}" if reason is None else reason))
    if as_json:
        print_json(status)
    else:
        say(f"terminated {status.id}: nothing was undone")


def _agreed(status: RunStatus) -> bool:
    """Ask the person. A run that has ended is left to Temporal, which refuses it."""
    if status.state != "running":
        return True
    instead = command_line("llmflow", "cancel", status.id)
    if not (sys.stdin.isatty() and err.is_terminal):
        raise InputInvalid(f"terminating {status.id!r} {_WARNING}: add --yes, or use `{instead}`")
    say(f"{status.id} ({status.workflow}) has been running for {took(status.started_at, None)}.")
    say(f"Terminating {_WARNING}. `{instead}` stops it with them.", "yellow")
    try:
        return typer.confirm("Terminate it?", err=True)
    except typer.Abort:  # Ctrl-C, or Ctrl-D
        return False


async def _status(id: str) -> RunStatus:
    return await (await connected()).client.run(id).status()


async def _terminate(id: str, reason: str) -> RunStatus:
    one = (await connected()).client.run(id)
    await one.terminate(reason)
    return await one.status()


def run_table(page: RunPage) -> Listing:
    """Return a row for each run."""
    table = Listing(("run", "workflow", "state", "tags", "fork of"), ("started", "took"))
    for one in page.runs:
        name = f"↳ {one.id}" if one.parent else one.id
        times = when(one.started_at), took(one.started_at, one.closed_at)
        table.add((name, one.workflow, shown_state(one.state), ", ".join(one.tags), one.forked_from or ""), times)
    return table
