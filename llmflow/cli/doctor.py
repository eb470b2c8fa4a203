"""`llmflow doctor`: is everything there that a run needs, and how is what is not mended?"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict
from rich.table import Table
from rich.text import Text

from llmflow.app import App
from llmflow.cli._apps import load, named
from llmflow.cli._exit import Exit, exit_code
from llmflow.cli._models import how_to_get_a_model, models_of
from llmflow.cli._options import AppPath, AsJson
from llmflow.cli._output import near, out, plural, print_json
from llmflow.cli._run import run
from llmflow.cli._target import connected
from llmflow.client import Client, add_attributes, known_attributes
from llmflow.config import Settings
from llmflow.errors import LLMFlowError, did_you_mean
from llmflow.stores.database import Database
from llmflow.types.attributes import SearchAttributes
from llmflow.worker import app_model_catalogue, app_prices, prompts_of


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True)

    name: str
    ok: bool
    found: str
    """What is there, or what is wrong with it."""
    mend: str | None = None
    """What to do, where `found` does not say."""
    away: bool = False
    """Whether it is only a server, a store or a worker that does not answer: it may do so later."""


class Diagnosis(BaseModel):
    """What `llmflow doctor` found."""

    model_config = ConfigDict(frozen=True)

    ok: bool
    checks: tuple[Check, ...]


def doctor(
    *,
    app: AppPath = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Add missing search attributes, and bring the store to the current schema")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look for what is missing, and say how to mend it.

    It looks at the server, its search attributes, the store, and at the prompts, models, keys and workers of an App, if
    one is named. It ends with 3 if all that is wrong is that a server, a store or a worker does not answer, and else
    with 5.

    Example: llmflow doctor --app workflows.research.app:app
    """
    checks = tuple(run(_examine(app, fix=fix)))
    diagnosis = Diagnosis(ok=all(one.ok for one in checks), checks=checks)
    if as_json:
        print_json(diagnosis)
    else:
        out.print(_table(checks))
    if not diagnosis.ok:
        raise typer.Exit(Exit.UNREACHABLE if all(one.ok or one.away for one in checks) else Exit.CONFIG)


async def _examine(path: str | None, *, fix: bool) -> list[Check]:
    settings, app = Settings.load(), None
    checks: list[Check] = []
    if path:
        try:
            app = load(path)
            checks += _of_app(app, settings)
        except LLMFlowError as error:
            checks.append(_failed("app", error))
    return [*await _of_server(app, path, settings.attributes, fix=fix), await _of_store(settings, fix=fix), *checks]


async def _of_server(app: App | None, path: str | None, attributes: SearchAttributes, *, fix: bool) -> list[Check]:
    try:
        connection = await connected(app)
        client = connection.client
        version = await client.server_version()
        address, namespace = client.temporal.service_client.config.target_host, client.temporal.namespace
        ui = f", Web UI at {connection.ui_url}" if connection.ui_url else ""
        server = Check(name="server", ok=True, found=f"Temporal {version} at {address}, namespace {namespace}{ui}")
        workers = await client.workers(app.task_queue) if app else 0
    except LLMFlowError as error:
        return [_failed("server", error)]
    searchable = await _of_attributes(client, attributes, fix=fix)
    if app is None:
        return [server, searchable]
    found = f"{workers or 'no'} {plural(workers, 'worker')} on task queue {app.task_queue} in the last 75 s"
    mend = None if workers else f"llmflow worker{named(path)}"
    return [server, searchable, Check(name="worker", ok=workers > 0, found=found, mend=mend, away=not workers)]


async def _of_attributes(client: Client, wanted: SearchAttributes, *, fix: bool) -> Check:
    """Runs do without those that are missing, so that is no failure."""
    try:
        added = await add_attributes(client.temporal, wanted) if fix else ()
        known = await known_attributes(client.temporal, wanted)
    except LLMFlowError as error:
        return _failed("search", error)
    missing = [name for field, name in wanted if name and name != getattr(known, field)]
    if missing:
        found = f"runs cannot be found by {', '.join(missing)}: the namespace has no such search attribute"
        return Check(name="search", ok=True, found=found, mend="llmflow doctor --fix")
    new = f"; new: {', '.join(added)}" if added else ""
    return Check(
        name="search", ok=True, found=f"runs can be found by {', '.join(name for _, name in known if name)}{new}"
    )


async def _of_store(settings: Settings, *, fix: bool) -> Check:
    try:
        database = Database(settings.store_url)
        if fix:
            await database.upgrade()
        async with database:
            return Check(name="store", ok=True, found=database.name)
    except LLMFlowError as error:
        return _failed("store", error)


def _of_app(app: App, settings: Settings) -> Iterator[Check]:
    counted = [(len(app.workflows), "workflow"), (len(app.tool_specs), "tool")]
    serves = ", ".join(f"{count} {plural(count, what)}" for count, what in counted)
    yield Check(name="app", ok=True, found=f"{app.name}: {serves}")
    for name, check in (("prompts", _prompts), ("models", _models), ("prices", _prices)):
        try:
            yield from check(app, settings)
        except LLMFlowError as error:
            yield _failed(name, error)


def _prompts(app: App, settings: Settings) -> Iterator[Check]:
    """They parse, and name tools that there are."""
    prompts, tools = prompts_of(app), [spec.name for spec in app.tool_specs]
    strange = [(prompt.ref.name, tool) for prompt in prompts for tool in prompt.tools if tool not in tools]
    for name, tool in strange:
        found = f"{name} names the tool `{tool}`, which the App has not{did_you_mean(tool, tools)}"
        yield Check(name="prompts", ok=False, found=found, mend="add it to tools=[...] of the App")
    if not strange:
        found = f"{len(prompts)} {plural(len(prompts), 'prompt')} in {near(app.prompts)}" if app.prompts else "none"
        yield Check(name="prompts", ok=True, found=found)


def _models(app: App, settings: Settings) -> Iterator[Check]:
    """There is somebody to ask for each of them. Values of keys are never shown."""
    for model in models_of(app, settings):
        mend = None
        if model.missing:
            found = f"{model.name}: {' or '.join(model.missing)} is not set ({model})"
            mend = f"export {model.missing[0]}=..., or LLMFLOW_MODELS=offline to try without a model"
        elif model.offline:
            found, mend = f"{model.name}: {model}, which is no language model", how_to_get_a_model(app, settings)
        else:
            found = f"{model.name}: {model}; {', '.join(model.keys) or 'no key'}"
        yield Check(name="models", ok=not model.missing, found=found, mend=mend)


def _prices(app: App, settings: Settings) -> Iterator[Check]:
    """A prices.yaml parses. The worker would not start without that."""
    path = settings.prices or app.prices
    try:
        models = app_model_catalogue(app, settings)
    except LLMFlowError:
        return  # said of the models
    app_prices(app, settings, models)
    yield Check(name="prices", ok=True, found=f"{near(path)}, then the public lists" if path else "the public lists")


def _failed(name: str, error: LLMFlowError) -> Check:
    return Check(name=name, ok=False, found=error.message, away=exit_code(error) is Exit.UNREACHABLE)


def _table(checks: Sequence[Check]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in checks:
        sign, colour = ("✓", "green") if one.ok else ("✗", "red")
        found = Text(one.found)
        if one.mend:
            found.append(f"\n→ {one.mend}", "yellow")
        table.add_row(Text.assemble((f"{sign} ", colour), (one.name, "dim" if one.ok else "bold")), found)
    return table
