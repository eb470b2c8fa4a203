"""`llmflow prompts check`: differences between an App's files and the versions that its runs get."""

from collections.abc import Sequence

import typer
from rich.table import Table
from rich.text import Text

from llmflow.cli.apps import load, named
from llmflow.cli.bridge import run
from llmflow.cli.exit import Exit
from llmflow.cli.hints import command
from llmflow.cli.options import AppPath, AsJson
from llmflow.cli.output import out, plural, print_json, say, when
from llmflow.config import Settings
from llmflow.service.prompts import Drift, Drifts, PromptVersion, drifts, opened
from llmflow.worker.apps import app_model_catalogue, check_prompt, prompts_of


def check_prompts(*, app: AppPath = None, as_json: AsJson = False) -> None:
    """Show what differs between an App's files, the store and its labels.

    It ends with 1 if something differs: a version that is not stored, a label that points elsewhere, an open rollout, a
    label that no run can follow. A prompt without a label follows the files of the workers as they were when those
    started: if its last call had another version, that is shown, and it ends with 0.

    Example: llmflow prompts check --app workflows.research.app:app
    """
    served, settings = load(app), Settings.load()
    known = served.models or served.providers or settings.models
    models = app_model_catalogue(served, settings) if known else None

    def check(prompt: PromptVersion) -> None:
        if models:
            check_prompt(prompt, served, models)

    async def find() -> Drifts:
        prompts = prompts_of(served)
        async with opened(settings) as store:
            return await drifts(store, served.name, prompts, check)

    found = run(find())
    failed = any(one.kind == "drift" for one in found.found)
    if as_json:
        print_json([_as_json(one, app) for one in found.found])
    else:
        if found.found:
            out.print(_table(found.found, app))
        if not failed:
            say(f"the store has the versions of the files of {served.name}, and no label points elsewhere", "green")
        if count := len(found.unlabelled):
            say(
                f"{count} {plural(count, 'prompt')} without the label {settings.label}: their runs follow the files of "
                "the workers, which read them at start: restart those that began before an edit",
                "dim",
            )
    if failed:
        raise typer.Exit(Exit.FAILED)


def _commands(one: Drift, app: str | None) -> list[str]:
    return [line for remedy in one.remedies if (line := command(remedy, named(app)))]


def _as_json(one: Drift, app: str | None) -> dict[str, object]:
    return {**{name: value for name, value in one if name != "remedies"}, "mend": _commands(one, app)}


def _table(found: Sequence[Drift], app: str | None) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in found:
        ways = Text("".join(f"\n→ {line}" for line in _commands(one, app)), "yellow")
        mark = ("✗ ", "red") if one.kind == "drift" else ("! ", "yellow")
        what = f"{one.what} (called {when(one.at)})" if one.at else one.what
        table.add_row(Text.assemble(mark, (one.prompt, "bold")), Text.assemble(what, ways))
    return table
