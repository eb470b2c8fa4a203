"""`llmflow approvals list`: one inbox for all runs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.text import Text

from llmflow.cli.bridge import run
from llmflow.cli.options import AsJson, parse_duration
from llmflow.cli.output import duration, out, print_json, say, took
from llmflow.cli.tables import Listing
from llmflow.cli.target import connected
from llmflow.cli.unreadable import end_if_unreadable
from llmflow.service.approvals import inbox
from llmflow.types.approvals import Waiting
from llmflow.types.runs import Inbox, InboxItem


def list_approvals(
    *,
    approver: Annotated[
        str | None, typer.Option(help="Only what this person may decide, and has not decided yet")
    ] = None,
    older_than: Annotated[
        timedelta | None,
        typer.Option(parser=parse_duration, metavar="30m|2h|3d", help="Only what was asked at least this long ago"),
    ] = None,
    workflow: Annotated[str | None, typer.Option(help="Only of runs of this workflow type")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List the open approvals of all runs, oldest first.

    It needs no worker.

    Example: llmflow approvals list --approver ana --older-than 2h
    """

    async def find() -> tuple[Inbox, int]:
        client = (await connected()).client
        return await inbox(client, approver=approver, older_than=older_than, workflow=workflow, limit=limit)

    found, others = run(find())
    if as_json:
        print_json(found.items)
    elif found.items:
        out.print(inbox_table(found.items))
        say("\nto read and decide one: llmflow approvals show RUN", "dim")
    elif not found.unreadable:
        fits = f"no open approval fits these options; without them there {'is' if others == 1 else 'are'} {others}"
        say(fits if others else "no open approvals")
    end_if_unreadable(found.reason, len(found.unreadable))


def inbox_table(items: Sequence[InboxItem]) -> Listing:
    """Return a row for each question."""
    table = Listing(("run", "approval", "what", "for", "tags", "fork of"), ("waits", "left"))
    for item in items:
        one = item.waiting
        times = took(one.asked_at, None), _left(one.deadline)
        of_run = ", ".join(item.tags), item.forked_from or ""
        table.add((item.run, Text(one.name, "bold"), one.title, _whom(one), *of_run), times)
    return table


def _whom(one: Waiting) -> str:
    """Format approvers, such as `ana, bo`, and with a quorum `ana, bo (1 of 2)`."""
    people = ", ".join(one.approvers) or "anyone"
    return people if one.quorum == 1 else f"{people} ({len(one.approved_by)} of {one.quorum})"


def _left(deadline: datetime | None) -> Text:
    return Text(duration(deadline - datetime.now(UTC))) if deadline else Text("-", "dim")
