"""`llmflow demo`: run an application of this project on a real Temporal server, in one command."""

import asyncio
import json
import logging
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from llmflow import worker as workers
from llmflow.cli.apps import load_demo
from llmflow.cli.bridge import run
from llmflow.cli.examples import AnyDemo, demo_names
from llmflow.cli.exit import Exit
from llmflow.cli.models import models_of, settings_for_trial
from llmflow.cli.options import AsJson
from llmflow.cli.output import err, out, print_json, say
from llmflow.cli.people import People
from llmflow.cli.run_page import spent, watch
from llmflow.cli.serving import log_to_terminal, warn_of_models
from llmflow.cli.step_tables import compensation_table, step_table
from llmflow.cli.suggestions import again, show_next
from llmflow.client import Client
from llmflow.config import Settings
from llmflow.dev import dev_server
from llmflow.errors import did_you_mean
from llmflow.service.connections import Connection
from llmflow.service.inputs import Workflow
from llmflow.service.starts import readable_id
from llmflow.types.approvals import Question
from llmflow.types.base import plain
from llmflow.types.steps import Compensation
from llmflow.types.usage import UsageReport


class DemoOutcome(BaseModel):
    """Outcome of a demo."""

    model_config = ConfigDict(frozen=True)

    id: str
    run_id: str
    result: Any  # Any: the result of the workflow, of its own class
    approvals: tuple[Question, ...]
    compensations: tuple[Compensation, ...]
    usage: UsageReport
    url: str | None


app = typer.Typer()


@app.command("demo", rich_help_panel="Begin", context_settings={"ignore_unknown_options": True})
def demo(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME] [--FIELD TEXT]...",
            help=f"Which example: {', '.join(demo_names())}; and fields of its input",
            show_default=False,
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Run an example.

    In one command: a Temporal server, a worker, a run, its steps and decisions live, its result and its cost. With
    OPENAI_API_KEY it asks a language model; without, it says so, and copies sentences from its input. Each field of an
    example's input is an option, such as --question and --documents of the one that is shown without a name.

    Example: llmflow demo research --question "How does a prompt get its version?" --documents docs
    """
    name, given = _parsed(words or ())
    shown = load_demo(name)
    asked, needs = _asked(shown, given)
    os.environ.update(needs)  # the worker runs in this process
    settings = settings_for_trial(shown.app)
    log_to_terminal()
    # Failed attempts are shown with the run.
    logging.getLogger("temporalio.activity").setLevel(logging.ERROR)
    run(_demo(shown, settings, asked, needs, as_json=as_json))


def _parsed(words: Sequence[str]) -> tuple[str | None, dict[str, str]]:
    """Split `NAME`, `--option TEXT` and `--option=TEXT` into the name of an example, and texts by option."""
    names: list[str] = []
    options: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            names.append(word)
            continue
        option, equals, text = word.removeprefix("--").partition("=")
        if (given := text if equals else next(rest, None)) is None:
            raise typer.BadParameter(f"--{option} needs a text")
        options[option] = given
    if len(names) > 1:
        raise typer.BadParameter(f"name one example, not {' and '.join(names)}")
    return next(iter(names), None), options


def _asked(shown: AnyDemo, given: Mapping[str, str]) -> tuple[object, Mapping[str, str]]:
    """Return the input of the demo, with the given options, and the environment that its worker needs.

    Raises:
        typer.BadParameter: the example takes no such option.
        InputInvalid: the input does not fit the workflow.
    """
    before: BaseModel = shown.input
    fields = {field.replace("_", "-"): field for field in type(before).model_fields} | dict(shown.options)
    for option in given:
        if option not in fields:
            known = ", ".join(f"--{one}" for one in fields)
            near = did_you_mean(option, fields).replace("`", "`--", 1)
            raise typer.BadParameter(f"`{shown.app.name}` does not take --{option}{near}. It takes: {known}")
    values = {**dict(before), **{fields[option]: text for option, text in given.items()}}
    # By way of JSON: the options are texts, and the fields may be of any type.
    asked = Workflow.of(shown.workflow).validate(json.dumps(plain(values)))
    return shown.prepare(asked) if shown.prepare else (asked, {})


async def _demo(shown: AnyDemo, settings: Settings, asked: object, needs: Mapping[str, str], *, as_json: bool) -> None:
    """Serve until the run has ended; on a terminal until Ctrl-C, so that the link works."""
    ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
    stop, stays = asyncio.Event(), out.is_terminal and not as_json
    served = shown.app
    async with dev_server(settings, say) as server:
        warn_of_models(served, settings, models_of(served, settings))
        asking = asyncio.create_task(_ask(ready, server.ui_url, shown, asked, as_json=as_json))
        beside = asyncio.create_task(_stop_in_time(asking, stop, again(served) if stays else None))
        try:
            await workers.run(served, settings=settings, address=server.address, ready=ready.set_result, stop=stop)
        finally:
            beside.cancel()
            asking.cancel()
    if asking.cancelled():
        environ = "".join(f"{name}={shlex.quote(value)} " for name, value in needs.items())
        say(f"the run is kept, and continues with `{environ}{again(served)}`")
        raise typer.Exit(Exit.INTERRUPTED)
    asking.result()
    if not stays and server.ui_url:
        say(f"\nTo see the run again: {again(served)}", "dim")


async def _stop_in_time(asking: asyncio.Task[None], stop: asyncio.Event, later: str | None) -> None:
    """End the worker when the run has ended, and the watching when Ctrl-C ends the worker."""
    interrupted = asyncio.create_task(stop.wait())
    await asyncio.wait({asking, interrupted}, return_when=asyncio.FIRST_COMPLETED)
    if not asking.done():
        asking.cancel()
        say("stopping after the in-flight calls; Ctrl-C again stops at once")
    elif later and not asking.exception():
        say(f"\nThe server stays up, so that the link works. Ctrl-C ends it; later: {later}", "dim")
        return
    stop.set()


async def _ask(
    ready: asyncio.Future[Client], ui_url: str | None, shown: AnyDemo, asked: object, *, as_json: bool
) -> None:
    """Start the run, show it live, send the script's decisions, and print the result."""
    connection = Connection(await ready, ui_url)
    for line in (f"\n{shown.about}.", shown.compressed):
        if line:
            say(line, "bold" if line.startswith("\n") else "dim")
    started = await connection.client.start(shown.workflow, asked, id=readable_id(shown.app), tags=["demo"])
    people = People(started, shown.decisions)
    report = await watch(connection, started, err, meanwhile=people.decide)
    questions = await people.decide()
    if report.steps:
        err.print(step_table(report.steps))
    if report.compensations:
        err.print(compensation_table(report.compensations))
    outcome = DemoOutcome(
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


def _show(outcome: DemoOutcome, text: str) -> None:
    from rich.markdown import Markdown  # 25 ms, which no other command needs

    out.print()
    out.print(Markdown(text, hyperlinks=False) if out.is_terminal else Text(text), soft_wrap=not out.is_terminal)
    out.print(Rule(style="dim") if out.is_terminal else "---")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for title, value in _facts(outcome):
        grid.add_row(title, value)
    out.print(grid)
    if outcome.url:
        out.print(Text(outcome.url, "blue"), soft_wrap=True)


def _facts(outcome: DemoOutcome) -> Iterator[tuple[str, str]]:
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
