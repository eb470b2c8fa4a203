"""`llmflow`: the command line, its commands, and how each of them ends."""

import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer
from rich.text import Text

from llmflow import __version__
from llmflow.cli._exit import MEANING, Exit, exit_code
from llmflow.cli._group import lazy_group
from llmflow.cli._output import err
from llmflow.errors import LLMFlowError
from llmflow.telemetry.flush import flush_traces

_prompts = typer.Typer(
    help="Prompts: their files, versions, labels and rollouts.",
    no_args_is_help=True,
    cls=lazy_group(
        {
            "Files": {
                "list": "llmflow.cli.prompts.list:list_prompts",
                "show": "llmflow.cli.prompts.show:show_prompt",
                "diff": "llmflow.cli.prompts.diff:diff_prompt",
                "check": "llmflow.cli.prompts.check:check_prompts",
                "push": "llmflow.cli.prompts.push:push_prompts",
                "pull": "llmflow.cli.prompts.pull:pull_prompt",
            },
            "What runs get": {
                "label": "llmflow.cli.prompts.label:label_prompt",
                "rollout": "llmflow.cli.prompts.rollout:roll_out",
                "history": "llmflow.cli.prompts.history:show_history",
                "compare": "llmflow.cli.compare:compare_prompt",
            },
        }
    ),
)
_approvals = typer.Typer(
    help="What runs ask people: one inbox, and the answers.",
    no_args_is_help=True,
    cls=lazy_group(
        {
            None: {
                "list": "llmflow.cli.approvals.list:list_approvals",
                "show": "llmflow.cli.approvals.show:show_approval",
                "approve": "llmflow.cli.approvals.decide:approve",
                "reject": "llmflow.cli.approvals.decide:reject",
            }
        }
    ),
)
_store = typer.Typer(
    help="The database of calls, answers and prompts.",
    no_args_is_help=True,
    cls=lazy_group({None: {"upgrade": "llmflow.cli.store:upgrade"}}),
)
app = typer.Typer(
    help="Durable LLM applications on Temporal.",
    epilog="\n".join(
        [
            "Exit codes",
            *(f"  {code:>3}  {meaning}" for code, meaning in MEANING.items()),
            "Errors are text on stderr, also with --json. A run that failed is JSON on stdout, too.",
        ]
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    cls=lazy_group(
        {
            "Begin": {
                "demo": "llmflow.cli.demo:demo",
                "init": "llmflow.cli.init:init",
                "dev": "llmflow.cli.dev:dev",
            },
            "Runs": {
                "start": "llmflow.cli.start:start",
                "status": "llmflow.cli.status:status",
                "steps": "llmflow.cli.steps:steps",
                "result": "llmflow.cli.runs:result",
                "usage": "llmflow.cli.status:usage",
                "cancel": "llmflow.cli.runs:cancel",
                "terminate": "llmflow.cli.runs:terminate",
                "list": "llmflow.cli.runs:list_runs",
                "fork": "llmflow.cli.fork:fork",
                "compare": "llmflow.cli.compare_runs:compare_runs",
                "approvals": _approvals,
            },
            "Records": {
                "score": "llmflow.cli.score:score",
                "cost": "llmflow.cli.cost:app",
            },
            "Apps": {
                "worker": "llmflow.cli.worker:worker",
                "doctor": "llmflow.cli.doctor:doctor",
                "graph": "llmflow.cli.graph:graph",
                "prompts": _prompts,
                "store": _store,
            },
        }
    ),
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
    flush_traces()
    # Not sys.exit: after success, threads of the Temporal SDK that still wait for the server may abort the interpreter
    # while it ends ("PyGILState_Release", exit code 134, one run of seven).
    os._exit(code)
