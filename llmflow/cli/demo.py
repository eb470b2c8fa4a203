"""`llmflow demo`: in one command, a real workflow on a real Temporal server answers a question from documents."""

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from llmflow import worker as workers
from llmflow.app import App
from llmflow.cli._apps import load_research
from llmflow.cli._exit import Exit
from llmflow.cli._inputs import Workflow, find_workflow
from llmflow.cli._models import models_of, settings_for_trial
from llmflow.cli._options import AsJson
from llmflow.cli._output import err, near, out, print_json, say
from llmflow.cli._report import spent, step_table, watch
from llmflow.cli._run import run
from llmflow.cli._serving import log_to_terminal, warn_of_models
from llmflow.cli._target import Connection
from llmflow.cli.start import readable_id
from llmflow.client import Client
from llmflow.config import Settings
from llmflow.dev import dev_server
from llmflow.types.usage import UsageReport

_QUESTION = "What happens when a worker is killed during a model call?"


class Outcome(BaseModel):
    """What the demo did."""

    model_config = ConfigDict(frozen=True)

    id: str
    run_id: str
    result: Any  # Any: the result of the workflow, as JSON
    usage: UsageReport
    url: str | None


def demo(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What to answer")] = _QUESTION,
    *,
    documents: Annotated[
        Path, typer.Option(exists=True, file_okay=False, metavar="PATH", help="Folder of documents to answer it from")
    ] = Path("docs"),
    as_json: AsJson = False,
) -> None:
    """Answer a question from a folder of documents.

    In one command: a Temporal server, a worker, a run, its steps live, and a report with its sources and its cost.
    With OPENAI_API_KEY it asks a language model; without, it says so, and copies the sentences that fit.

    Example: llmflow demo "How does a prompt get its version?" --documents docs
    """
    app = load_research()
    settings = settings_for_trial(app)
    _allow(documents, settings)
    workflow = find_workflow(app, None)
    asked = workflow.validate(json.dumps({"text": question, "documents": str(documents)}))
    log_to_terminal()
    # Failed attempts are shown with the run.
    logging.getLogger("temporalio.activity").setLevel(logging.ERROR)
    run(_demo(app, settings, workflow, asked, as_json=as_json))


def _allow(documents: Path, settings: Settings) -> None:
    """Whoever names a folder on the command line allows the worker to read it."""
    if not documents.resolve().is_relative_to(settings.documents.resolve()):
        os.environ["LLMFLOW_DOCUMENTS"] = str(documents.resolve())  # where the worker's tool looks for its root


async def _demo(app: App, settings: Settings, workflow: Workflow, asked: object, *, as_json: bool) -> None:
    """The worker serves until the answer is there; on a terminal until Ctrl-C, so that the link works."""
    ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
    stop, stays = asyncio.Event(), out.is_terminal and not as_json
    async with dev_server(settings, say) as server:
        warn_of_models(app, settings, models_of(app, settings))
        asking = asyncio.create_task(_ask(ready, server.ui_url, app, workflow, asked, as_json=as_json))
        beside = asyncio.create_task(_stop_in_time(asking, stop, stays=stays))
        try:
            await workers.run(app, settings=settings, address=server.address, ready=ready.set_result, stop=stop)
        finally:
            beside.cancel()
            asking.cancel()
    if asking.cancelled():
        say("the run is kept, and goes on with the next `llmflow dev`")
        raise typer.Exit(Exit.INTERRUPTED)
    asking.result()
    if not stays and server.pid:
        say("The server ends with this command; `make dev` shows the run again.", "dim")


async def _stop_in_time(asking: asyncio.Task[None], stop: asyncio.Event, *, stays: bool) -> None:
    """End the worker when the question is answered, and the question when Ctrl-C ends the worker."""
    interrupted = asyncio.create_task(stop.wait())
    await asyncio.wait({asking, interrupted}, return_when=asyncio.FIRST_COMPLETED)
    if not asking.done():
        asking.cancel()
        say("stopping after the running calls; Ctrl-C again stops at once")
    elif stays and not asking.exception():
        say("\nThe server stays up, so that the link works. Ctrl-C ends it; `make dev` shows the run again.", "dim")
        return
    stop.set()


async def _ask(
    ready: asyncio.Future[Client], ui_url: str | None, app: App, workflow: Workflow, asked: object, *, as_json: bool
) -> None:
    """Start the run, show it live, and print what it found."""
    connection = Connection(await ready, ui_url)
    started = await connection.client.start(workflow.name, asked, id=readable_id(app), tags=["demo"])
    report = await watch(connection, started, err)
    if report.steps:
        err.print(step_table(report.steps))
    outcome = Outcome(
        id=started.id,
        run_id=report.status.run_id,
        result=await started.result(),
        usage=report.usage or UsageReport(),
        url=report.url,
    )
    if as_json:
        print_json(outcome)
    else:
        _show(outcome)


def _show(outcome: Outcome) -> None:
    from rich.markdown import Markdown  # 25 ms, which no other command needs

    saved = outcome.result["saved"]
    out.print()
    if saved is None:
        out.print("No passage of these documents fits the question.")
    else:
        text = Path(saved).read_text("utf-8")
        out.print(Markdown(text) if out.is_terminal else Text(text), soft_wrap=not out.is_terminal)
    out.print(Rule(style="dim") if out.is_terminal else "---")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for title, value in _facts(outcome):
        grid.add_row(title, value)
    out.print(grid)
    if outcome.url:
        out.print(Text(outcome.url, "blue"), soft_wrap=True)


def _facts(outcome: Outcome) -> Iterator[tuple[str, str]]:
    yield "cost", spent(outcome.usage.total)
    for title, names in (("models", outcome.usage.by_model), ("prompts", outcome.usage.by_prompt)):
        for number, name in enumerate(names):
            yield "" if number else title, name
    if outcome.result["saved"]:
        yield "report", near(outcome.result["saved"])
    yield "run", outcome.id
