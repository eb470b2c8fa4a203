"""`llmflow demo`: in one command, an application of this project runs on a real Temporal server."""

import asyncio
import logging
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from llmflow import worker as workers
from llmflow.cli._apps import AnyDemo, Application, load_demo
from llmflow.cli._exit import Exit
from llmflow.cli._models import models_of, settings_for_trial
from llmflow.cli._next import again, show_next
from llmflow.cli._options import AsJson
from llmflow.cli._output import err, out, print_json, say
from llmflow.cli._people import People
from llmflow.cli._report import spent, watch
from llmflow.cli._run import run
from llmflow.cli._serving import log_to_terminal, warn_of_models
from llmflow.cli._steps import compensation_table, step_table
from llmflow.client import Client
from llmflow.config import Settings
from llmflow.dev import dev_server
from llmflow.service.connections import Connection
from llmflow.service.inputs import Workflow
from llmflow.service.starts import readable_id
from llmflow.types.approvals import Question
from llmflow.types.steps import Compensation
from llmflow.types.usage import UsageReport


class Outcome(BaseModel):
    """What the demo did."""

    model_config = ConfigDict(frozen=True)

    id: str
    run_id: str
    result: Any  # Any: the result of the workflow, of its own class
    approvals: tuple[Question, ...]
    compensations: tuple[Compensation, ...]
    usage: UsageReport
    url: str | None


def demo(
    name: Annotated[Application, typer.Argument(help="Which application")] = Application.RESEARCH,
    *,
    question: Annotated[str | None, typer.Option(metavar="TEXT", help="What to answer: research, support")] = None,
    documents: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, metavar="PATH", help="Folder to read: research, digest"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show an application at work.

    In one command: a Temporal server, a worker, a run, its steps and what people decide live, its result and its cost.
    With OPENAI_API_KEY it asks a language model; without, it says so, and copies sentences from its input.

    Example: llmflow demo research --question "How does a prompt get its version?" --documents docs
    """
    shown = load_demo(name)
    asked = _asked(shown, name, question, documents)
    settings = settings_for_trial(shown.app)
    _allow(asked, settings)
    log_to_terminal()
    # Failed attempts are shown with the run.
    logging.getLogger("temporalio.activity").setLevel(logging.ERROR)
    run(_demo(shown, settings, asked, as_json=as_json))


def _asked(shown: AnyDemo, name: Application, question: str | None, documents: Path | None) -> object:
    """The input of the demo, with what the options say.

    Raises:
        typer.BadParameter: the application takes no such option.
        InputInvalid: the input does not fit the workflow.
    """
    given: BaseModel = shown.input
    options = {"--question": ("text", question), "--documents": ("documents", documents and str(documents))}
    changes = {option: field for option, field in options.items() if field[1] is not None}
    for option, (field, _) in changes.items():
        if field not in type(given).model_fields:
            raise typer.BadParameter(f"`{name}` does not take {option}: leave it out")
    changed = given.model_copy(update=dict(changes.values()))
    return Workflow.of(shown.workflow).validate(changed.model_dump_json())


def _allow(asked: object, settings: Settings) -> None:
    """Whoever names a folder on the command line allows the worker to read it."""
    folder = getattr(asked, "documents", None)
    if folder is not None and not Path(folder).resolve().is_relative_to(settings.documents.resolve()):
        os.environ["LLMFLOW_DOCUMENTS"] = str(Path(folder).resolve())  # where the worker's tool looks for its root


def _allowed() -> str:
    """What another process must be told so that it may read the same documents, for a shell."""
    folder = os.environ.get("LLMFLOW_DOCUMENTS")
    return f"LLMFLOW_DOCUMENTS={shlex.quote(folder)} " if folder else ""


async def _demo(shown: AnyDemo, settings: Settings, asked: object, *, as_json: bool) -> None:
    """The worker serves until the run has ended; on a terminal until Ctrl-C, so that the link works."""
    ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
    stop, stays = asyncio.Event(), out.is_terminal and not as_json
    app = shown.app
    async with dev_server(settings, say) as server:
        warn_of_models(app, settings, models_of(app, settings))
        asking = asyncio.create_task(_ask(ready, server.ui_url, shown, asked, as_json=as_json))
        beside = asyncio.create_task(_stop_in_time(asking, stop, again(app) if stays else None))
        try:
            await workers.run(app, settings=settings, address=server.address, ready=ready.set_result, stop=stop)
        finally:
            beside.cancel()
            asking.cancel()
    if asking.cancelled():
        say(f"the run is kept, and goes on with `{_allowed()}{again(app)}`")
        raise typer.Exit(Exit.INTERRUPTED)
    asking.result()
    if not stays and server.ui_url:
        say(f"\nTo see the run again: {again(app)}", "dim")


async def _stop_in_time(asking: asyncio.Task[None], stop: asyncio.Event, later: str | None) -> None:
    """End the worker when the run has ended, and the watching when Ctrl-C ends the worker."""
    interrupted = asyncio.create_task(stop.wait())
    await asyncio.wait({asking, interrupted}, return_when=asyncio.FIRST_COMPLETED)
    if not asking.done():
        asking.cancel()
        say("stopping after the running calls; Ctrl-C again stops at once")
    elif later and not asking.exception():
        say(f"\nThe server stays up, so that the link works. Ctrl-C ends it; later: {later}", "dim")
        return
    stop.set()


async def _ask(
    ready: asyncio.Future[Client], ui_url: str | None, shown: AnyDemo, asked: object, *, as_json: bool
) -> None:
    """Start the run, show it live, decide what it asks, and print what came of it."""
    connection = Connection(await ready, ui_url)
    for line in (f"\n{shown.about}.", shown.compressed):
        if line:
            say(line, "bold" if line.startswith("\n") else "dim")
    started = await connection.client.start(shown.workflow, asked, id=readable_id(shown.app), tags=["demo"])
    people = People(started, shown.answers)
    report = await watch(connection, started, err, meanwhile=people.decide)
    questions = await people.decide()
    if report.steps:
        err.print(step_table(report.steps))
    if report.compensations:
        err.print(compensation_table(report.compensations))
    outcome = Outcome(
        id=started.id,
        run_id=report.status.run_id,
        result=await started.result(),
        approvals=questions,
        compensations=report.compensations,
        usage=report.usage or UsageReport(),
        url=report.url,
    )
    if as_json:
        print_json(outcome)
    else:
        _show(outcome, shown.show(outcome.result))
        show_next(shown.app)


def _show(outcome: Outcome, text: str) -> None:
    from rich.markdown import Markdown  # 25 ms, which no other command needs

    out.print()
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
    lists = {
        "models": list(outcome.usage.by_model),
        "prompts": list(outcome.usage.by_prompt),
        "decided": [_decided(question) for question in outcome.approvals],
    }
    for title, lines in lists.items():
        for number, line in enumerate(lines):
            yield "" if number else title, line
    yield "run", outcome.id


def _decided(question: Question) -> str:
    votes = ", ".join(f"{'yes' if vote.approved else 'no'} from {vote.by}" for vote in question.votes)
    return f"{question.name}: {question.status}" + (f", {votes}" if votes else "")
