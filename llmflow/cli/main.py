"""`llmflow`: the command line, its commands, and how each of them ends."""

import sys
from typing import Annotated, NoReturn

import typer

from llmflow import __version__
from llmflow.cli.exit import MEANING
from llmflow.cli.group import lazy_group
from llmflow.cli.process import end, prepare_streams, run_command

_prompts = typer.Typer(
    help="Prompts: their files, versions, labels and rollouts.",
    no_args_is_help=True,
    cls=lazy_group(
        {
            "Files": {
                "list": "llmflow.cli.commands.prompts.list:list_prompts",
                "show": "llmflow.cli.commands.prompts.show:show_prompt",
                "diff": "llmflow.cli.commands.prompts.diff:diff_prompt",
                "check": "llmflow.cli.commands.prompts.check:check_prompts",
                "push": "llmflow.cli.commands.prompts.push:push_prompts",
                "pull": "llmflow.cli.commands.prompts.pull:pull_prompt",
            },
            "What runs get": {
                "label": "llmflow.cli.commands.prompts.label:label_prompt",
                "rollout": "llmflow.cli.commands.prompts.rollout:roll_out",
                "history": "llmflow.cli.commands.prompts.history:show_history",
                "compare": "llmflow.cli.commands.prompts.compare:compare_prompt",
            },
        }
    ),
)
_approvals = typer.Typer(
    help="Approvals: one inbox of what runs ask people, and decisions.",
    no_args_is_help=True,
    cls=lazy_group(
        {
            None: {
                "list": "llmflow.cli.commands.approvals.list:list_approvals",
                "show": "llmflow.cli.commands.approvals.show:show_approval",
                "approve": "llmflow.cli.commands.approvals.decide:approve",
                "reject": "llmflow.cli.commands.approvals.decide:reject",
            }
        }
    ),
)
_budgets = typer.Typer(
    help="Budgets: what runs, tenants, users, tags, Apps and keys may spend.",
    no_args_is_help=True,
    cls=lazy_group(
        {
            None: {
                "list": "llmflow.cli.commands.budgets:list_budgets",
                "show": "llmflow.cli.commands.budgets:show_budget",
                "set": "llmflow.cli.commands.budgets:set_limit",
                "raise": "llmflow.cli.commands.budgets:raise_limit",
                "reset": "llmflow.cli.commands.budgets:reset_spent",
            }
        }
    ),
)
_conversation = typer.Typer(
    help="What was said in the conversations of a run.",
    no_args_is_help=True,
    cls=lazy_group(
        {
            None: {
                "show": "llmflow.cli.commands.conversation:show",
                "export": "llmflow.cli.commands.conversation:export",
                "diff": "llmflow.cli.commands.conversation:diff",
            }
        }
    ),
)
_store = typer.Typer(
    help="The database of calls, answers and prompts; and the storage of large values.",
    no_args_is_help=True,
    cls=lazy_group(
        {None: {"upgrade": "llmflow.cli.commands.store:upgrade", "gc": "llmflow.cli.commands.storage:collect_garbage"}}
    ),
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
                "demo": "llmflow.cli.commands.demo:app",
                "init": "llmflow.cli.commands.init:init",
                "dev": "llmflow.cli.commands.dev:dev",
            },
            "Runs": {
                "start": "llmflow.cli.commands.start:start",
                "status": "llmflow.cli.commands.status:status",
                "watch": "llmflow.cli.commands.watch:watch",
                "steps": "llmflow.cli.commands.steps:steps",
                "result": "llmflow.cli.commands.runs:result",
                "usage": "llmflow.cli.commands.status:usage",
                "cancel": "llmflow.cli.commands.runs:cancel",
                "terminate": "llmflow.cli.commands.runs:terminate",
                "list": "llmflow.cli.commands.runs:list_runs",
                "fork": "llmflow.cli.commands.fork:fork",
                "compare": "llmflow.cli.commands.compare:compare_runs",
                "conversation": _conversation,
                "approvals": _approvals,
            },
            "Records": {
                "score": "llmflow.cli.commands.score:score",
                "cost": "llmflow.cli.commands.cost:app",
                "budgets": _budgets,
            },
            "Apps": {
                "worker": "llmflow.cli.commands.worker:worker",
                "codec-server": "llmflow.cli.commands.codec_server:codec_server",
                "doctor": "llmflow.cli.commands.doctor:doctor",
                "graph": "llmflow.cli.commands.graph:graph",
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
    return run_command(app, arguments)


def main() -> NoReturn:
    """The console script."""
    prepare_streams()
    end(run(sys.argv[1:]))
