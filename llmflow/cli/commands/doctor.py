"""`llmflow doctor`: check everything that a run needs, and say how to fix what is missing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from llmflow.app import App
from llmflow.cli.apps import load, named
from llmflow.cli.bridge import run
from llmflow.cli.exit import Exit
from llmflow.cli.hints import command
from llmflow.cli.models import how_to_get_a_model, models_of
from llmflow.cli.options import AppPath, AsJson
from llmflow.cli.output import out, print_json
from llmflow.cli.target import connected
from llmflow.config import Settings
from llmflow.errors import LLMFlowError
from llmflow.service.connections import Connection
from llmflow.service.diagnosis import Check, Contents, PriceLists, diagnose
from llmflow.worker.apps import app_model_catalogue, price_lists, prompts_of


def doctor(
    *,
    app: AppPath = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Add missing search attributes, and bring the store to the current schema")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check what is missing, and say how to fix it.

    It checks the server, codec and storage, search attributes, the store, and the prompts, models, tools, keys and
    workers of an App, if one is named. It ends with 3 if the only problem is that a server, a store or a worker does
    not answer, and otherwise with 5.

    Example: llmflow doctor --app workflows.research.app:app
    """
    settings = Settings.load()
    contents = _contents(app, settings) if app else None

    async def connection() -> Connection:
        return await connected(contents.app if isinstance(contents, Contents) else None)

    checks = run(diagnose(settings, connection, contents, fix=fix))
    found = [(one, _mend(one, app, contents, settings)) for one in checks]
    ok = all(one.ok for one in checks)
    if as_json:
        print_json({"ok": ok, "checks": [{**_as_json(one), "mend": mend} for one, mend in found]})
    else:
        out.print(_table(found))
    if not ok:
        raise typer.Exit(Exit.UNREACHABLE if all(one.ok or one.away for one in checks) else Exit.CONFIG)


def _contents(path: str, settings: Settings) -> Contents | LLMFlowError:
    try:
        app = load(path)
    except LLMFlowError as error:
        return error
    return Contents(
        app=app,
        prompts=lambda: prompts_of(app),
        models=lambda: models_of(app, settings),
        prices=lambda: _prices(app, settings),
    )


def _prices(app: App, settings: Settings) -> PriceLists | None:
    try:
        models_of(app, settings)
        models = app_model_catalogue(app, settings)
    except LLMFlowError:
        return None
    names, cost = price_lists(app, settings, models)
    return PriceLists(names=names, cost=cost)


def _mend(check: Check, path: str | None, contents: Contents | LLMFlowError | None, settings: Settings) -> str | None:
    """Return the fix as a person types it."""
    if check.remedy is None:
        return None
    match check.remedy.action:
        case "add_tool":
            return "add it to tools=[...] of the App"
        case "set_key":
            return f"export {check.key}=..., or LLMFLOW_MODELS=offline to try without a model"
        case "name_model" if isinstance(contents, Contents):
            return how_to_get_a_model(contents.app, settings)
        case _:
            return command(check.remedy, named(path))


def _as_json(check: Check) -> dict[str, object]:
    return {name: value for name, value in check if name not in ("remedy", "key")}


def _table(found: Sequence[tuple[Check, str | None]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one, mend in found:
        sign, colour = ("✓", "green") if one.ok else ("✗", "red")
        text = Text(one.found.replace(f"{Path.cwd()}/", ""))
        if mend:
            text.append(f"\n→ {mend}", "yellow")
        table.add_row(Text.assemble((f"{sign} ", colour), (one.name, "dim" if one.ok else "bold")), text)
    return table
