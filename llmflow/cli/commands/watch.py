"""`llmflow watch`: the events of a run, while they happen."""

import asyncio
import json
from contextlib import aclosing
from typing import Annotated

import typer

from llmflow.cli.bridge import run
from llmflow.cli.event_lines import EventLines
from llmflow.cli.exit import Exit
from llmflow.cli.options import RunId
from llmflow.cli.output import out, print_text, say
from llmflow.cli.target import connected
from llmflow.errors import ServerUnavailable, StoreUnavailable
from llmflow.types.base import plain
from llmflow.types.events import RunEnded, RunEvent

_PAUSE = 2.0
"""Seconds before a reader that was cut off tries again."""


def watch(
    run_id: RunId,
    *,
    after: Annotated[str, typer.Option(metavar="OFFSET", help="Only events after this one's `offset`")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each event")] = False,
) -> None:
    """Watch a run: steps, calls, the text while it is written, tools, questions, costs.

    It shows what has happened and what happens, until the run ends; runs that it has started are among it. Ctrl-C stops
    watching alone. A run that fails ends it with 1, as `llmflow result` does.

    Example: llmflow watch research-calm-otter-7f3a --json
    """
    if not run(_watch(run_id, after, as_json=as_json)):
        raise typer.Exit(Exit.FAILED)


async def _watch(id: str, after: str, *, as_json: bool) -> bool:
    """Show the events; return True if the run completed."""
    one = (await connected()).client.run(id)
    lines, offset = EventLines(out, id), after
    has_begun = completed = False
    while True:
        try:
            async with aclosing(one.events(after=offset)) as events:
                async for event in events:
                    has_begun, offset = True, event.offset or offset
                    completed = isinstance(event, RunEnded) and event.run == id and event.state == "completed"
                    if as_json:
                        print_text(_line(event))
                    else:
                        lines.add(event)
            return completed
        except (StoreUnavailable, ServerUnavailable) as error:
            if not has_begun:
                raise
            say(f"{error.message} Trying again", "yellow")
            await asyncio.sleep(_PAUSE)


def _line(event: RunEvent) -> str:
    return json.dumps(plain(event), ensure_ascii=False)
