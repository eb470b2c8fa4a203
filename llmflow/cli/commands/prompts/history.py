"""`llmflow prompts history`: the changes of a prompt, and their authors."""

from collections.abc import Iterator
from typing import Any

from llmflow.cli.bridge import run
from llmflow.cli.options import AsJson
from llmflow.cli.output import out, print_json, when
from llmflow.cli.prompt_changes import PromptName, change_text
from llmflow.cli.tables import Cell, Listing
from llmflow.config import Settings
from llmflow.service.prompts import Move, PromptState, Version, opened


def show_history(name: PromptName, *, as_json: AsJson = False) -> None:
    """Show the changes of a prompt, newest first.

    Its versions, and every change of its labels and rollouts.

    Example: llmflow prompts history research/write
    """

    async def read() -> tuple[PromptState, tuple[Move, ...]]:
        async with opened(Settings.load()) as store:
            return await store.labels.history(name)

    state, moves = run(read())
    events: list[Version | Move] = sorted([*reversed(state.versions), *moves], key=lambda event: event.at, reverse=True)
    if as_json:
        print_json([_as_json(event) for event in events])
        return
    table = Listing(("when", "what", "by", "why"))
    for event in events:
        table.add((when(event.at), *_cells(event)))
    out.print(table)


def _cells(event: Version | Move) -> Iterator[Cell]:
    if isinstance(event, Version):
        yield from (f"stored {event.version}", event.by, "")
    else:
        yield from (change_text(event), event.by, event.why or "")


def _as_json(event: Version | Move) -> dict[str, Any]:  # Any: JSON
    if isinstance(event, Version):
        return {"kind": "version", "after": event.version, "at": event.at, "by": event.by}
    return dict(event)
