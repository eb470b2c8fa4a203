"""Bridge from a Typer command, which is sync, into async code."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer

from llmflow.cli.exit import Exit

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:  # Any: what a coroutine yields to the loop is the loop's business
    """Run a command's coroutine to its end. Ctrl-C cancels it, lets it clean up, and ends the command.

    Raises:
        typer.Exit: with the code of an interrupted command.
    """
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(Exit.INTERRUPTED) from None
