"""First lines of a worker: what it serves, and a clear warning if no language model answers."""

import logging
from collections.abc import Iterator, Sequence

from rich import box
from rich.logging import RichHandler
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from llmflow.app import App
from llmflow.cli.models import how_to_get_a_model, models_of
from llmflow.cli.options import LogLevel
from llmflow.cli.output import err, plural, print_json
from llmflow.config import Settings
from llmflow.service.diagnosis import Model
from llmflow.service.inputs import workflow_name
from llmflow.worker.apps import prompts_of

_log = logging.getLogger("llmflow.worker")
_BANNER_WIDTH = 88  # columns, or as many as there are


def show_served(app: App, settings: Settings, task_queues: Sequence[str], address: str) -> None:
    """Print workflows, tools, prompts with their versions, models with their candidates; of tool queues only the tools.

    Raises:
        ConfigInvalid: no models, or a models.yaml that does not parse, or a prompt that names a missing model.
        PromptInvalid: a prompt that does not parse.
    """
    only_tools = set(task_queues).issubset(app.tool_queues)
    queues = f"task {plural(len(task_queues), 'queue')} {', '.join(task_queues)}"
    err.print(Text.assemble("\n", (app.name, "bold"), f" on {queues} at {address}\n"))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    models = [] if only_tools else models_of(app, settings)
    for row in _served(app, models, only_tools=only_tools):
        table.add_row(*row)
    err.print(table)
    warn_of_models(app, settings, models)


def print_served(app: App, settings: Settings, task_queues: Sequence[str], address: str, ui_url: str | None) -> None:
    """Print the same as one JSON document, for a program that waits for it.

    Raises:
        ConfigInvalid, PromptInvalid: see `show_served`.
    """
    models = models_of(app, settings)
    print_json(
        {
            "app": app.name,
            "task_queues": task_queues,
            "address": address,
            "ui_url": ui_url,
            "workflows": [workflow_name(one) for one in app.workflows],
            "tools": [spec.name for spec in app.tool_specs],
            "prompts": [
                {"name": prompt.ref.name, "version": prompt.ref.version, "model": prompt.model}
                for prompt in prompts_of(app)
            ],
            "models": [
                {"name": one.name, "candidates": one.candidates, "missing": one.missing, "offline": one.offline}
                for one in models
            ],
        }
    )


def warn_of_models(app: App, settings: Settings, models: Sequence[Model]) -> None:
    """Print clearly which models are not language models, and which have no key."""
    offline = [model.name for model in models if model.offline]
    if offline:
        _banner(
            "NO LANGUAGE MODEL",
            f"For {', '.join(offline)} the offline provider answers: it copies sentences from its input, understands "
            f"nothing, and costs $0. {how_to_get_a_model(app, settings)}",
        )
    warn_of_keys(models)


def warn_of_keys(models: Sequence[Model]) -> None:
    """Print clearly which models have no key."""
    for model in models:
        if model.missing:
            keys = " or ".join(model.missing)
            _banner(
                "NO KEY",
                f"For {model.name} no candidate can be asked. Set {keys} and start again; or try without a model, with "
                "LLMFLOW_MODELS=offline.",
            )


def log_to_terminal(level: LogLevel = LogLevel.WARNING) -> None:
    """Set up the log beside the live output. `show_served` replaces the first lines of a worker's log."""
    handler = RichHandler(console=err, show_path=False, omit_repeated_times=False, log_time_format="%H:%M:%S")
    logging.basicConfig(level=level.upper(), format="%(message)s", handlers=[handler])
    _log.setLevel(logging.ERROR)


def show_worker_log(*, usually: bool) -> None:
    """Let the log have what the worker itself says, from its beginning: `usually`, or if the level was chosen."""
    chosen = logging.getLogger().level != logging.WARNING
    _log.setLevel(logging.NOTSET if chosen else logging.INFO if usually else logging.WARNING)


def _served(app: App, models: Sequence[Model], *, only_tools: bool) -> Iterator[tuple[str, str, str]]:
    rows = {
        "workflows": [] if only_tools else [(workflow_name(one), "") for one in app.workflows],
        "tools": [(spec.name, "") for spec in app.tool_specs],
        "prompts": [] if only_tools else [(str(prompt.ref), prompt.model or "") for prompt in prompts_of(app)],
        "models": [(model.name, str(model)) for model in models],
    }
    for title, items in rows.items():
        for number, (name, more) in enumerate(items):
            yield "" if number else f"  {title}", name, more


def _banner(title: str, text: str) -> None:
    width = min(_BANNER_WIDTH, err.width)
    err.print()
    err.print(
        Panel(Text(text), title=title, title_align="left", border_style="bold yellow", box=box.HEAVY, width=width)
    )
