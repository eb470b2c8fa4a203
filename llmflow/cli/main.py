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
from llmflow.cli.compare import compare_prompt
from llmflow.cli.cost import cost
from llmflow.cli.demo import demo
from llmflow.cli.dev import dev
from llmflow.cli.doctor import doctor
from llmflow.cli.init import init
from llmflow.cli.prompts.check import check_prompts
from llmflow.cli.prompts.diff import diff_prompt
from llmflow.cli.prompts.history import show_history
from llmflow.cli.prompts.label import label_prompt
from llmflow.cli.prompts.list import list_prompts
from llmflow.cli.prompts.pull import pull_prompt
from llmflow.cli.prompts.push import push_prompts
from llmflow.cli.prompts.rollout import roll_out
from llmflow.cli.prompts.show import show_prompt
from llmflow.cli.reprice import reprice
from llmflow.cli.runs import cancel, list_runs, result
from llmflow.cli.score import score
from llmflow.cli.start import start
from llmflow.cli.status import status, usage
from llmflow.cli.store import upgrade
from llmflow.cli.worker import worker
from llmflow.errors import LLMFlowError
from llmflow.telemetry.tracing import flush_traces

_BEGIN, _RUNS, _RECORDS, _SERVE = "Begin", "Runs", "Records", "Apps"

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
    _RECORDS: {"score": score},
    _SERVE: {"worker": worker, "doctor": doctor},
}.items():
    for _name, _command in _commands.items():
        app.command(_name, rich_help_panel=_panel)(_command)

_prompts = typer.Typer(help="Prompts: their files, versions, labels and rollouts.", no_args_is_help=True)
for _panel, _commands in {
    "Files": {
        "list": list_prompts,
        "show": show_prompt,
        "diff": diff_prompt,
        "check": check_prompts,
        "push": push_prompts,
        "pull": pull_prompt,
    },
    "What runs get": {
        "label": label_prompt,
        "rollout": roll_out,
        "history": show_history,
        "compare": compare_prompt,
    },
}.items():
    for _name, _command in _commands.items():
        _prompts.command(_name, rich_help_panel=_panel)(_command)
app.add_typer(_prompts, name="prompts", rich_help_panel=_SERVE)

_store = typer.Typer(help="The database of calls, answers and prompts.", no_args_is_help=True)
_store.command("upgrade")(upgrade)
app.add_typer(_store, name="store", rich_help_panel=_SERVE)

_cost = typer.Typer(invoke_without_command=True)
_cost.callback()(cost)
_cost.command("reprice")(reprice)
app.add_typer(_cost, name="cost", rich_help_panel=_RECORDS)


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
    flush_traces()
    # Not sys.exit: after success, threads of the Temporal SDK that still wait for the server may abort the interpreter
    # while it ends ("PyGILState_Release", exit code 134, one run of seven).
    os._exit(code)
