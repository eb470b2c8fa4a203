"""`llmflow start`: a new run, with an input that was checked before."""

import secrets
from datetime import timedelta
from typing import Annotated, Any, cast

import typer
from pydantic import BaseModel, ConfigDict
from rich.text import Text

from llmflow.app import App
from llmflow.cli._apps import load
from llmflow.cli._exit import Exit
from llmflow.cli._inputs import Workflow, find_workflow, read_input
from llmflow.cli._options import AppPath, AsJson, parse_budget, parse_duration
from llmflow.cli._output import err, print_json, say
from llmflow.cli._report import AnyRun, page, state, watch
from llmflow.cli._run import run
from llmflow.cli._target import Connection, connected
from llmflow.client import StartOptions
from llmflow.errors import RunExists, RunNotFound
from llmflow.types.budgets import Budget
from llmflow.types.runs import RunStatus

_CALM = (
    "brave bright calm clear cosy crisp eager fair fresh gentle glad keen kind lucky mellow merry neat plain quiet wise"
)
_BEASTS = (
    "badger bear bison crane deer dove falcon finch fox hare heron horse lark lynx moose otter owl puffin seal wren"
)


class Started(BaseModel):
    """A run, as `llmflow start --json` prints it."""

    model_config = ConfigDict(frozen=True)

    id: str
    run_id: str
    workflow: str
    task_queue: str
    new: bool
    """False if the id named a run that exists: then nothing was started."""
    url: str | None


def start(
    workflow: Annotated[
        str | None, typer.Argument(metavar="[WORKFLOW]", help="Which one, if the App has several")
    ] = None,
    *,
    app: AppPath = None,
    input: Annotated[
        str | None, typer.Option(metavar="JSON|@FILE|-", help="The workflow's input: JSON, a file, or stdin")
    ] = None,
    id: Annotated[str | None, typer.Option(help="Names the run; the same start again gives the same run")] = None,
    delay: Annotated[
        timedelta | None, typer.Option(parser=parse_duration, metavar="30s|5m|2h", help="Start this much later")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Free text to tell runs apart later; may be repeated")] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose run it is: its limits, its share, its bill")] = None,
    user: Annotated[str | None, typer.Option(help="Whom it works for")] = None,
    budget: Annotated[
        Budget | None, typer.Option(parser=parse_budget, metavar="USD", help="What it may cost, children included")
    ] = None,
    priority: Annotated[int | None, typer.Option(min=1, max=5, help="1 goes first, 5 last")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Show it live, then print its result")] = False,
    as_json: AsJson = False,
) -> None:
    """Start a run.

    Its input is checked first; a wrong one starts nothing.

    Example: llmflow start --app workflows.research.app:app --input '{"text": "What is a step?"}' --wait
    """
    served = load(app)
    kind = find_workflow(served, workflow)
    given = {"delay": delay, "tags": tag, "tenant": tenant, "user": user, "budget": budget, "priority": priority}
    options = cast(
        StartOptions,
        {
            "id": readable_id(served) if id is None else id,
            **{name: value for name, value in given.items() if value is not None},
        },
    )
    run(_start(served, kind, read_input(input, kind), options, wait=wait, as_json=as_json))


def readable_id(app: App) -> str:
    """A new id that a person can say, such as `research-calm-otter-7f3a`."""
    words = (secrets.choice(words.split()) for words in (_CALM, _BEASTS))
    return "-".join((app.name, *words, secrets.token_hex(2)))


async def _start(
    app: App, kind: Workflow, arguments: tuple[object, ...], options: StartOptions, *, wait: bool, as_json: bool
) -> None:
    connection = await connected(app)
    started, status = await _begin(connection, kind, arguments, options)
    _announce(started, status, hints=not wait)
    if not await connection.client.workers(app.task_queue):
        say(f"no worker serves task queue {app.task_queue} yet: `llmflow worker` runs one", "yellow")
    ended = await _wait(connection, started.id) if wait else {}
    if as_json:
        print_json({**dict(started), **ended})
    if ended.get("failure"):
        raise typer.Exit(Exit.FAILED)
    if wait and not as_json:
        print_json(ended["result"])


async def _begin(
    connection: Connection, kind: Workflow, arguments: tuple[object, ...], options: StartOptions
) -> tuple[Started, RunStatus]:
    run = await connection.client.start(kind.name, *arguments, **options)
    status = await run.status()
    new = run.handle.first_execution_run_id is not None  # which only a start tells
    if not (new or await _began_with(run, kind, arguments)):
        raise RunExists(
            f"run {status.id!r} exists already ({status.state}), and began with another input: choose another --id, or "
            f"look at that run: `llmflow status {status.id}`"
        )
    started = Started(
        id=status.id,
        run_id=status.run_id,
        workflow=status.workflow,
        task_queue=status.task_queue,
        new=new,
        url=connection.link(status.id, status.run_id),
    )
    return started, status


async def _began_with(run: AnyRun, kind: Workflow, arguments: tuple[object, ...]) -> bool:
    try:
        return kind.same(arguments, await run.input())
    except RunNotFound:  # of a long one Temporal forgets the beginning, and it is still the run of this id
        return True


async def _wait(connection: Connection, id: str) -> dict[str, Any]:  # Any: what the user's workflow returns
    run = connection.client.run(id)
    report = await watch(connection, run, err)
    err.print(page(report), crop=False)
    failure = report.failure
    result = None if failure else await run.result()
    if not failure:
        err.print()
    return {"state": report.status.state, "result": result, "failure": failure}


def _announce(started: Started, status: RunStatus, *, hints: bool) -> None:
    if started.new:
        err.print(Text.assemble("started ", (started.id, "bold")))
    else:
        err.print(Text.assemble((started.id, "bold"), " exists, nothing was started: it is ", state(status.state)))
    if hints:
        say(f"  watch   llmflow status {started.id} --watch")
        say(f"  result  llmflow result {started.id}")
        if started.url:
            err.print(Text(f"  web     {started.url}"), soft_wrap=True)  # whole, so that a click finds it
