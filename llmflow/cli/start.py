"""`llmflow start`: a new run, with an input that was checked before."""

import secrets
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from llmflow.app import App
from llmflow.cli._apps import load
from llmflow.cli._inputs import find_workflow, read_input
from llmflow.cli._options import AppPath, AsJson, parse_duration
from llmflow.cli._output import err, print_json, say
from llmflow.cli._report import AnyRun, page, state, watch
from llmflow.cli._run import run
from llmflow.cli._target import Connection, connected
from llmflow.client import StartOptions
from llmflow.errors import RunNotFound
from llmflow.types.runs import RunStatus

_CALM = "brave bright calm clear cosy crisp eager fair fresh gentle glad keen kind lucky mellow merry neat plain quiet wise"
_BEASTS = "badger bear bison crane deer dove falcon finch fox hare heron horse lark lynx moose otter owl puffin seal wren"



def start(
    app: AppPath,
    workflow: Annotated[
        str | None, typer.Argument(metavar="WORKFLOW", help="Which one, if the App has several")
    ] = None,
    *,
    input: Annotated[
        str | None, typer.Option(metavar="JSON|@FILE|-", help="The workflow's input: JSON, a file, or stdin")
    ] = None,
    id: Annotated[str | None, typer.Option(help="Names the run; the same id again gives the same run")] = None,
    delay: Annotated[
        timedelta | None, typer.Option(parser=parse_duration, metavar="30s|5m|2h", help="Start this much later")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Free text to tell runs apart later; may be repeated")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Show it live, then print its result")] = False,
    as_json: AsJson = False,
) -> None:
    """Start a run. Its input is checked first, and a wrong one starts nothing.

    Example: llmflow start workflows.research.app:app --input '{"text": "What is a step?"}' --wait
    """
    served = load(app)
    kind = find_workflow(served, workflow)
    options = StartOptions(id=id or readable_id(served))
    if delay:
        options["delay"] = delay
    if tag:
        options["tags"] = tag
    run(_start(served, kind.name, read_input(input, kind), options, wait=wait, as_json=as_json))


def readable_id(app: App) -> str:
    """A new id that a person can say, such as `research-calm-otter-7f3a`."""
    words = (secrets.choice(words.split()) for words in (_CALM, _BEASTS))
    return "-".join((app.name, *words, secrets.token_hex(2)))


async def _start(
    app: App, workflow: str, arguments: tuple[object, ...], options: StartOptions, *, wait: bool, as_json: bool
) -> None:
    connection = await connected(app)
    existing = await _existing(connection, options["id"])
    started = await connection.client.start(workflow, *arguments, **options)
    status = existing or await started.status()
    report: dict[str, Any] = {  # Any: JSON, with the result of the user's workflow
        "id": status.id,
        "run_id": status.run_id,
        "workflow": status.workflow,
        "task_queue": status.task_queue,
        "started": existing is None,
        "url": connection.link(status.id, status.run_id),
    }
    _show(status, existing, report["url"])
    if not await connection.client.workers(app.task_queue):
        say(f"no worker serves task queue {app.task_queue} yet: `llmflow worker` runs one", "yellow")
    if wait:
        report["result"] = await _wait(connection, started)
    if as_json:
        print_json(report)
    elif wait:
        print_json(report["result"])


async def _existing(connection: Connection, id: str) -> RunStatus | None:
    """The run that has this id already. It is asked for so that we can say so: `start` just returns it."""
    try:
        return await connection.client.run(id).status()
    except RunNotFound:
        return None


async def _wait(connection: Connection, started: AnyRun) -> Any:  # Any: as above
    err.print(page(await watch(connection, started, err)))
    err.print()
    return await started.result()


def _show(status: RunStatus, existing: RunStatus | None, url: str | None) -> None:
    if existing:
        err.print(Text.assemble((status.id, "bold"), " exists, nothing was started: it is ", state(status.state)))
    else:
        err.print(Text.assemble("started ", (status.id, "bold")))
    table = Table.grid(padding=(0, 2))
    table.add_row("  watch", f"llmflow status {status.id} --watch")
    table.add_row("  result", f"llmflow result {status.id}")
    if url:
        table.add_row("  web", Text(url, "blue"))
    err.print(table)
