"""Process of one command: its exit code by its error, and its end."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import typer
from rich.text import Text

from llmflow.cli.exit import Exit, exit_code
from llmflow.cli.hints import said
from llmflow.cli.output import err
from llmflow.errors import LLMFlowError
from llmflow.telemetry.flush import flush_traces


def run_command(command: typer.Typer, arguments: Sequence[str]) -> int:
    """Run one command line, and return its exit code."""
    try:
        command(arguments, prog_name="llmflow")
    except SystemExit as end:
        return int(end.code or 0)
    except LLMFlowError as error:
        err.print(Text.assemble(("error: ", "bold red"), said(error)), soft_wrap=not err.is_terminal)
        return exit_code(error)
    return Exit.DONE


def end(code: int) -> NoReturn:
    """End this process."""
    with suppress(BrokenPipeError):  # `llmflow list | head` has read enough
        sys.stdout.flush()
        sys.stderr.flush()
    flush_traces()
    # Not sys.exit: after success, threads of the Temporal SDK that still wait for the server may abort the interpreter
    # while it ends ("PyGILState_Release", exit code 134, one run of seven).
    os._exit(code)
