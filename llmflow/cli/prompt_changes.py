"""Shared code of the commands: the words for versions, and the display of changes."""

from collections.abc import Collection, Sequence
from typing import Annotated

import typer
from rich.text import Text

from llmflow.cli.apps import load
from llmflow.cli.output import err, print_json, say
from llmflow.service.prompts import FILE, Move, PromptVersion
from llmflow.worker.apps import prompts_of

PromptName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the prompt: research/write")]
LabelName = Annotated[
    str | None, typer.Argument(metavar="LABEL", help="Label; if left out, the one that runs follow: `production`")
]
Why = Annotated[str | None, typer.Option(help="The reason, for the history")]
Force = Annotated[bool, typer.Option("--force", help="Also if the label is protected; needs --why")]


def file_of(name: str, words: Collection[str], app: str | None) -> PromptVersion | None:
    """Return the prompt that `file` means, if it is one of the words for a version.

    Raises:
        InputInvalid: no App is named that may have the file.
        PromptNotFound: the App has no such prompt.
    """
    if FILE not in words:
        return None
    return prompts_of(load(app)).get(name)


def show_changes(name: str, changes: Sequence[Move], *, as_json: bool) -> None:
    """Print the changes, and whom they concern."""
    if as_json:
        print_json(changes)
        return
    for change in changes:
        err.print(Text.assemble((name, "bold"), " ", change_text(change)))
    if not changes:
        say("nothing to do: nothing would change")
    elif any(change.kind != "protection" for change in changes):
        say("open runs keep the version that they began with", "dim")


def change_text(change: Move) -> Text:
    """Format a change, such as `production 3f9a0c1d2e3f → 81bc22aa0d1f`."""
    before = f" {change.before}" if change.before else ""
    match change.kind:
        case "label" | "back":
            return Text(f"{change.label}{before} → {change.after or 'none, so runs follow the file'}")
        case "rollout":
            return Text(f"rollout of {change.label}{before} → {change.after or 'ended'}")
        case "protection":
            return Text(f"{change.label} is {'protected' if change.after else 'no longer protected'}")
