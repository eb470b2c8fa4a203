"""End of a command that could not decode all that it shows."""

import typer

from llmflow.cli.exit import Exit
from llmflow.cli.output import say


def end_if_unreadable(reason: str | None, runs: int = 1) -> None:
    """Say after the output which part of it is missing, and end the command with the code of wrong settings.

    Args:
        reason: Reason; `None` if everything was decoded.
        runs: Number of runs that it concerns.

    Raises:
        typer.Exit: something could not be decoded.
    """
    if reason is not None:
        others = f" (and {runs - 1} more like it)" if runs > 1 else ""
        say(f"\nnot all can be shown: {reason}{others}", "red")
        raise typer.Exit(Exit.CONFIG)
