"""`llmflow`: the command line, its commands, and how each of them ends."""

import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer
from rich.text import Text

from llmflow import __version__
from llmflow.cli._exit import MEANING, Exit, exit_code
from llmflow.cli._later import Later, LaterGroup
from llmflow.cli._output import err
from llmflow.errors import LLMFlowError

_BEGIN, _RUNS, _SERVE = "Begin", "Runs", "Apps"


class _Commands(LaterGroup):
    later = (
        Later("llmflow.cli.demo:demo", "Answer a question from a folder of documents.", panel=_BEGIN),
        Later("llmflow.cli.init:init", "Write a new project that runs and passes its test at once.", panel=_BEGIN),
        Later("llmflow.cli.dev:dev", "Run a Temporal server, its Web UI and a worker.", panel=_BEGIN),
        Later("llmflow.cli.start:start", "Start a run.", panel=_RUNS),
        Later("llmflow.cli.status:status", "Where a run stands: steps, waits, cost.", panel=_RUNS),
        Later("llmflow.cli.runs:result", "Wait for a run to end, and print what it returned.", panel=_RUNS),
        Later("llmflow.cli.status:usage", "Tokens and money of a run, by model and by prompt version.", panel=_RUNS),
        Later("llmflow.cli.runs:cancel", "Ask a run to stop.", panel=_RUNS),
        Later("llmflow.cli.runs:list_runs", "List runs, newest first.", name="list", panel=_RUNS),
        Later("llmflow.cli.worker:worker", "Serve an App.", panel=_SERVE),
        Later("llmflow.cli.doctor:doctor", "Look for what is missing, and say how to mend it.", panel=_SERVE),
    )


class _Prompts(LaterGroup):
    later = (
        Later("llmflow.cli.prompts:list_prompts", "List the prompts of an App.", name="list"),
        Later("llmflow.cli.prompts:show_prompt", "Show one prompt of an App.", name="show"),
    )


app = typer.Typer(
    cls=_Commands,
    help="Durable LLM applications on Temporal.",
    epilog="\n".join(["Exit codes", *(f"  {code:>3}  {meaning}" for code, meaning in MEANING.items())]),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(
    typer.Typer(cls=_Prompts, help="List and show the prompts of an App.", no_args_is_help=True),
    name="prompts",
    rich_help_panel=_SERVE,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"llmflow {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version")
    ] = False,
) -> None:
    """Durable LLM applications on Temporal."""


def run(arguments: list[str]) -> int:
    """Run one command line, and return its exit code."""
    try:
        app(arguments, prog_name="llmflow")
    except SystemExit as end:
        return int(end.code or 0)
    except LLMFlowError as error:
        err.print(Text.assemble(("error: ", "bold red"), error.message), soft_wrap=not err.is_terminal)
        return exit_code(error)
    return Exit.DONE


def main() -> NoReturn:
    """The console script."""
    code = run(sys.argv[1:])
    with suppress(BrokenPipeError):  # `llmflow list | head` has read enough
        sys.stdout.flush()
        sys.stderr.flush()
    # Not sys.exit: after success, threads of the Temporal SDK that still wait for the server may abort the interpreter
    # while it ends ("PyGILState_Release", exit code 134, one run of seven).
    os._exit(code)
