"""`llmflow start`: a new run, with an input that is checked first."""

from datetime import timedelta
from typing import Annotated, Any, cast

import typer
from rich.text import Text

from llmflow.app import App
from llmflow.cli.apps import load, named
from llmflow.cli.bridge import run
from llmflow.cli.exit import Exit
from llmflow.cli.hints import command
from llmflow.cli.inputs import read_input
from llmflow.cli.options import AppPath, AsJson, parse_budget, parse_duration
from llmflow.cli.output import err, print_json, say
from llmflow.cli.run_page import page, state, watch
from llmflow.cli.target import connected
from llmflow.client import StartOptions
from llmflow.errors import Remedy
from llmflow.service import starts
from llmflow.service.connections import Connection
from llmflow.service.inputs import Workflow, find_workflow
from llmflow.service.starts import Started
from llmflow.types.budgets import Budget
from llmflow.types.runs import RunStatus
from llmflow.types.texts import command_line


def start(
    workflow: Annotated[
        str | None, typer.Argument(metavar="[WORKFLOW]", help="Name of the workflow, if the App has several")
    ] = None,
    *,
    app: AppPath = None,
    input: Annotated[
        str | None, typer.Option(metavar="JSON|@FILE|-", help="Input of the workflow: JSON, a file, or stdin")
    ] = None,
    id: Annotated[str | None, typer.Option(help="Id of the run; the same start again gives the same run")] = None,
    delay: Annotated[
        timedelta | None, typer.Option(parser=parse_duration, metavar="30s|5m|2h", help="Start this much later")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Free text to tell runs apart later; may be repeated")] = None,
    tenant: Annotated[str | None, typer.Option(help="Tenant of the run: its limits, its share, its bill")] = None,
    user: Annotated[str | None, typer.Option(help="User of the run")] = None,
    budget: Annotated[
        Budget | None, typer.Option(parser=parse_budget, metavar="USD", help="Maximum cost, children included")
    ] = None,
    task_queue: Annotated[str | None, typer.Option(help="Task queue instead of the App's own")] = None,
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
    place = None if priority is None else starts.priority(priority)
    given = {"start_delay": delay, "tags": tag, "tenant": tenant, "user": user, "budget": budget, "priority": place}
    given["task_queue"] = task_queue
    options = cast(
        StartOptions,
        {
            "id": starts.readable_id(served) if id is None else id,
            **{name: value for name, value in given.items() if value is not None},
        },
    )
    run(_start(served, app, kind, read_input(input, kind), options, wait=wait, as_json=as_json))


async def _start(
    app: App,
    path: str | None,
    kind: Workflow,
    arguments: tuple[object, ...],
    options: StartOptions,
    *,
    wait: bool,
    as_json: bool,
) -> None:
    connection = await connected(app)
    started, status = await starts.start(connection, kind, arguments, options)
    _announce(started, status, hints=not wait)
    if not await connection.client.workers(queue := started.task_queue):
        missing = Remedy(action="start_worker", task_queue=None if queue == app.task_queue else queue)
        say(f"no worker serves task queue {queue} yet: `{command(missing, named(path))}` runs one", "yellow")
    ended = await _wait(connection, started.id) if wait else {}
    if as_json:
        print_json({**dict(started), **ended})
    if ended.get("failure"):
        raise typer.Exit(Exit.FAILED)
    if wait and not as_json:
        print_json(ended["result"])


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
        say(f"  watch   {command_line('llmflow', 'status', started.id)} --watch")
        say(f"  result  {command_line('llmflow', 'result', started.id)}")
        if started.url:
            err.print(Text(f"  web     {started.url}"), soft_wrap=True)  # whole, so that a terminal links it
