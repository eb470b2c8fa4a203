"""Worker of `llmflow dev`, in a process of its own: `python -m llmflow.cli.dev_worker`."""

import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from llmflow import worker as workers
from llmflow.app import App
from llmflow.cli.apps import load, named
from llmflow.cli.bridge import run
from llmflow.cli.models import models_of, settings_for_trial
from llmflow.cli.options import AppPath, AsJson, Log, LogLevel
from llmflow.cli.output import say
from llmflow.cli.process import end, run_command
from llmflow.cli.serving import log_to_terminal, print_served, show_served, show_worker_log, warn_of_keys
from llmflow.client import Client
from llmflow.config import Settings
from llmflow.dev import DevServer
from llmflow.dev.reload import GRACE, report
from llmflow.service.inputs import Workflow

_INSTALLED = {"site-packages", "dist-packages"}
command = typer.Typer(pretty_exceptions_enable=False)


@command.command()
def serve(
    *,
    app: AppPath = None,
    address: Annotated[str, typer.Option()],
    ui_url: Annotated[str | None, typer.Option()] = None,
    log_level: Log = LogLevel.WARNING,
    json: AsJson = False,
    report_to: Annotated[int, typer.Option("--report")],
    again: Annotated[bool, typer.Option("--again")] = False,
) -> None:
    """Serve an App until SIGTERM. Print what it serves, the first time, and report which files it was loaded from."""
    log_to_terminal(log_level)
    served = load(app)
    settings = settings_for_trial(served)
    server = DevServer(address=address, ui_url=ui_url)
    queues = (served.task_queue, *served.tool_queues)

    def ready(_: Client) -> None:
        if again:
            warn_of_keys(models_of(served, settings))
        else:
            _show(served, app, settings, queues, server)
        if json and not again:
            print_served(served, settings, queues, address, ui_url)
        show_worker_log(usually=False)
        report(report_to, _loaded_from(served, settings))

    serving = workers.run(
        served,
        settings=settings,
        address=address,
        task_queues=queues,
        grace=GRACE,
        add_search_attributes=True,
        ready=ready,
    )
    run(serving)


def _show(served: App, path: str | None, settings: Settings, queues: Sequence[str], server: DevServer) -> None:
    show_served(served, settings, queues, server.address)
    say("")
    say(f"  Web UI  {server.ui_url or 'that of this server; TEMPORAL_ADDRESS does not say where'}")
    one = f" {Workflow.of(served.workflows[0]).name}" if len(served.workflows) > 1 else ""
    say(f"  start   llmflow start{one}{named(path)} --input JSON")
    if settings.storage:
        say(f"  others  export LLMFLOW_STORAGE={settings.storage}")
        say("          for your Python programs, which read the large values of runs there", "dim")
    if not settings.temporal_address and not server.has_usual_port:
        say(f"  others  export TEMPORAL_ADDRESS={server.address}")
        say("          for your Python programs and `temporal`, which look at Temporal's usual port", "dim")


def _loaded_from(app: App, settings: Settings) -> set[Path]:
    """Return folders of code and prompts, and files of models and prices. Installed packages do not change."""
    folders = {path.parent for path in _modules()}
    if app.prompts:
        folders |= {app.prompts, *(path for path in app.prompts.rglob("*") if path.is_dir())}
    # Also those of the App that an environment variable overrides: an edit may end that.
    files = [settings.models, app.models, settings.prices, app.prices]
    return {path.resolve() for path in (*folders, *(Path(file) for file in files if file and file != "offline"))}


def _modules() -> Iterator[Path]:
    library = Path(sysconfig.get_path("stdlib"))
    for module in list(sys.modules.values()):
        file = vars(module).get("__file__")
        if file and not _INSTALLED.intersection(Path(file).parts) and not Path(file).is_relative_to(library):
            yield Path(file)


if __name__ == "__main__":
    end(run_command(command, sys.argv[1:]))
