"""`llmflow`: the command line, its commands, and how each of them ends."""

import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer
from rich.text import Text

from llmflow import __version__
from llmflow.cli._exit import MEANING, Exit, exit_code
from llmflow.cli._output import err
from llmflow.cli.demo import demo
from llmflow.cli.dev import dev
from llmflow.cli.doctor import doctor
from llmflow.cli.init import init
from llmflow.cli.prompts import list_prompts, show_prompt
from llmflow.cli.runs import cancel, list_runs, result
from llmflow.cli.start import start
from llmflow.cli.status import status, usage
from llmflow.cli.worker import worker
from llmflow.errors import LLMFlowError

_BEGIN, _RUNS, _SERVE = "Begin", "Runs", "Apps"

app = typer.Typer(
    help="Durable LLM applications on Temporal.",
    epilog="\n".join(["Exit codes", *(f"  {code:>3}  {meaning}" for code, meaning in MEANING.items())]),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _panel, _commands in {
    _BEGIN: {"demo": demo, "init": init, "dev": dev},
    _RUNS: {"start": start, "status": status, "result": result, "usage": usage, "cancel": cancel, "list": list_runs},
    _SERVE: {"worker": worker, "doctor": doctor},
}.items():
    for _name, _command in _commands.items():
        app.command(_name, rich_help_panel=_panel)(_command)

_prompts = typer.Typer(help="List and show the prompts of an App.", no_args_is_help=True)
_prompts.command("list")(list_prompts)
_prompts.command("show")(show_prompt)
app.add_typer(_prompts, name="prompts", rich_help_panel=_SERVE)


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
