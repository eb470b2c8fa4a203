"""`llmflow fork`: new runs that reuse the results of earlier ones up to a step."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic_core import from_json
from rich.text import Text

from llmflow.cli.bridge import run
from llmflow.cli.exit import Exit
from llmflow.cli.fork_page import plan_page
from llmflow.cli.hints import hint
from llmflow.cli.inputs import read_text
from llmflow.cli.options import AsJson
from llmflow.cli.output import err, out, print_json, say
from llmflow.cli.run_page import page, taken_and_paid, watch
from llmflow.cli.target import connected
from llmflow.errors import ErrorDetail, InputInvalid, Remedy
from llmflow.service import forks
from llmflow.service.connections import Connection
from llmflow.service.forks import Failed, Forked, Options
from llmflow.service.runs import with_children
from llmflow.types.texts import command_line


def fork(
    run_id: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Id of a run; or give --query", show_default=False)
    ] = None,
    *,
    step: Annotated[
        str, typer.Option("--from", metavar="STEP", help="The first step or call that runs again: write, plan#2")
    ],
    query: Annotated[
        str | None, typer.Option(help="Fork all runs of Temporal's list filter: \"ExecutionStatus = 'Failed'\"")
    ] = None,
    input: Annotated[
        str | None, typer.Option(metavar="JSON|@FILE|-", help="Another input; its worker says if it fits")
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VERSION", help="Another version of a prompt: digits, a label, `file`; repeatable"),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="ALIAS=MODEL", help="Another model for an alias; may be repeated")
    ] = None,
    id: Annotated[str | None, typer.Option(help="Id of the new run [default: RUN-fork- and 6 digits]")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Instead of the tags of the run; may be repeated")] = None,
    until: Annotated[str, typer.Option(metavar="STEP", help="Step or call before which the fork ends")] = "",
    repeat_effects: Annotated[bool, typer.Option("--repeat-effects", help="Call effects without a result")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show what it would reuse, do, cost and ask")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end; show the reused and the paid calls")] = False,
    as_json: AsJson = False,
) -> None:
    """Start a run like an earlier one, from a step on.

    Results from before the step are reused if their input did not change, and not paid again. Effects are not repeated:
    the fork takes their results, or stops. At a terminal, it shows its plan and asks before it starts.

    Example: llmflow fork research-calm-otter-7f3a --from write --prompt research/write=file --wait
    """
    if (run_id is None) == (query is None):
        raise InputInvalid("name one RUN, or several by --query")
    if query is not None and id is not None:
        raise InputInvalid("--id names one new run, and --query may fork several: leave --id out")
    options: Options = {
        "prompts": _pairs(prompt, "--prompt", "research/write=file"),
        "models": _pairs(model, "--model", "smart=openai:gpt-6.1-sol"),
        "tags": tag,
        "until": until,
        "repeat_effects": repeat_effects,
        **({"id": id} if id is not None else {}),
        **({"input": _json(input)} if input is not None else {}),
    }
    if plan:
        if run_id is None:
            raise InputInvalid("--plan shows one fork: name the RUN")
        run(_plan(run_id, step, options, as_json=as_json))
    elif run_id is not None:
        run(_fork_one(run_id, step, options, wait=wait, as_json=as_json))
    elif query is not None:
        run(_fork_all(query, step, options, wait=wait, as_json=as_json))


async def _fork_one(id: str, step: str, options: Options, *, wait: bool, as_json: bool) -> None:
    connection = await connected()
    if err.is_terminal and sys.stdin.isatty() and not as_json:
        await _confirm(connection, id, step, options)
    forked, new = await forks.fork(connection, id, step, options)
    _announce(forked, step, hints=not wait)
    served = await forks.is_served(connection, new)
    if not served:
        queue = (await new.status()).task_queue
        missing = hint(Remedy(action="start_worker", task_queue=queue))
        say(f"no worker serves task queue {queue} yet{missing}", "yellow")
    if wait:
        report = await with_children(new, await watch(connection, new, err))
        err.print(page(report), crop=False)
        forked = await forks.ended(forked, new, report)
    elif served:
        forked = await forks.begun(forked, new)
        if forked.failure:
            say(forked.failure, "red")
    for name in await forks.unchanged(connection, forked, options):
        say(f"the run had that version of {name} already", "yellow")
    if as_json:
        print_json(forked)
    elif wait and not forked.failure and not forked.stopped:
        err.print()
        print_json(forked.result)
    if forked.failure:
        raise typer.Exit(Exit.FAILED)


async def _confirm(connection: Connection, id: str, step: str, options: Options) -> None:
    """Show the plan to a person, and ask."""
    err.print(plan_page(await forks.plan(connection, id, step, options)))
    if not typer.confirm("Start it?", err=True):
        raise typer.Exit(Exit.INTERRUPTED)


async def _plan(id: str, step: str, options: Options, *, as_json: bool) -> None:
    found = await forks.plan(await connected(), id, step, options)
    if as_json:
        print_json(found)
    else:
        out.print(plan_page(found))


async def _fork_all(query: str, step: str, options: Options, *, wait: bool, as_json: bool) -> None:
    found = await forks.fork_all(await connected(), query, step, options, wait=wait)
    new = [one for one in found if isinstance(one, Forked)]
    failures = [one for one in found if isinstance(one, Failed)]
    for forked in new:
        err.print(_line(forked))
    for failed in failures:
        err.print(Text.assemble((failed.source, "bold"), (f"  not forked: {failed.error}", "red")))
    if not found:
        say("no runs")
    if as_json:
        print_json({"forks": new, "failures": failures})
    if failures or any(one.failure for one in new):
        raise typer.Exit(Exit.FAILED)


def _announce(forked: Forked, step: str, *, hints: bool) -> None:
    err.print(Text.assemble("forked ", (forked.source, "bold"), f" from {step}: ", (forked.id, "bold")))
    if hints:
        say(f"  watch    {command_line('llmflow', 'status', forked.id)} --watch")
        say(f"  compare  {command_line('llmflow', 'compare', forked.source, forked.id)}")
        if forked.url:
            err.print(Text(f"  web      {forked.url}"), soft_wrap=True)  # whole, so that a terminal links it


def _line(forked: Forked) -> Text:
    line = Text.assemble((forked.source, "bold"), "  ", forked.id)
    if forked.state:
        line.append(f"  {forked.state}")
    if forked.usage:
        line.append("  " + taken_and_paid(forked.usage).replace("\n", " · "), "dim")
    if forked.failure:
        line.append(f"  {forked.failure}", "red")
    return line


def _pairs(given: Sequence[str] | None, option: str, example: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for one in given or ():
        name, equals, value = one.partition("=")
        if not (name and equals and value):
            raise InputInvalid(f"{option} {one}: write {option} {example}", ErrorDetail(field=option))
        pairs[name] = value
    return pairs


def _json(given: str) -> object:
    try:
        value: object = from_json(read_text(given, "--input"))
    except ValueError as error:
        raise InputInvalid(f"--input is not JSON: {error}. A text needs quotes of its own: '\"text\"'") from None
    return value
