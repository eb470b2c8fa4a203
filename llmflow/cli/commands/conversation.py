"""`llmflow conversation`: what was said in the conversations of a run."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.text import Text

from llmflow.cli.bridge import run
from llmflow.cli.options import AsJson, RunId
from llmflow.cli.output import out, print_json, print_text, say
from llmflow.config import Settings
from llmflow.service import conversations as service
from llmflow.types.conversations import Answers, Cut, Entry, Instructions, Said
from llmflow.types.messages import Message, Opaque, ToolCall, ToolResult
from llmflow.types.messages import Text as Words

Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="The conversation of this name alone")]
_SHORT = 2_000
"""Characters of a text that a person sees; `export` has all of it."""


def show(run_id: RunId, *, name: Name = None, as_json: AsJson = False) -> None:
    """Show the conversations of a run and its children: instructions, messages, tool calls and their results.

    Example: llmflow conversation show helpdesk-calm-otter-7f3a
    """
    found = run(service.show_conversations(Settings.load().store_url, run_id, name))
    if as_json:
        print_json(found)
        return
    for one in found:
        out.print(Text(f"{one.name} of {one.run} ({one.head})", "dim"))
        _print(one.entries)


def export(run_id: RunId, *, name: Name = None) -> None:
    """Print a conversation as lines of JSON, an entry each, for other programs.

    Example: llmflow conversation export helpdesk-calm-otter-7f3a --name support
    """
    found = run(service.show_conversations(Settings.load().store_url, run_id, name))
    for entry in found[0].entries:
        print_text(entry.model_dump_json())
    if len(found) > 1:
        others = ", ".join(f"{one.name} of {one.run}" for one in found[1:])
        say(f"this is {found[0].name} of {found[0].run}; there also is {others}: choose with --name", "dim")


def diff(
    run_id: RunId,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Id of the other run, such as a fork of it")],
    *,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Show where the conversations of two runs part, and what each says then.

    Example: llmflow conversation diff helpdesk-calm-otter-7f3a helpdesk-calm-otter-7f3a-fork-1
    """
    found = run(service.diff_conversations(Settings.load().store_url, run_id, other, name))
    if as_json:
        print_json(found)
        return
    out.print(Text(f"in common: {found.same:,} of the first entries", "dim"))
    for title, entries in ((run_id, found.one), (other, found.other)):
        out.print(Text(f"\nthen {title}", "dim"))
        _print(entries)


def _print(entries: Iterable[Entry]) -> None:
    for entry in entries:
        who, text, style = _line(entry)
        out.print(Text(f"{who:<9} ", style).append(text[:_SHORT], "default"), soft_wrap=True)


def _line(entry: Entry) -> tuple[str, str, str]:
    match entry:
        case Instructions():
            variables = ", ".join(f"{name}={value!r}" for name, value in entry.variables.items())
            tools = ", ".join((*entry.tools, *(spec.name for spec in entry.specs)))
            return "prompt", " · ".join(filter(None, (str(entry.prompt), variables, tools and f"tools {tools}"))), "dim"
        case Said():
            return (
                ("model" if entry.model else entry.message.role),
                _said(entry.message),
                "cyan" if entry.model else "green",
            )
        case Answers():
            return "tools", "\n          ".join(f"{one.id}: {one.text or ''}" for one in entry.results), "yellow"
        case Cut():
            return "window", f"since entry {entry.since}" + (f": {entry.summary}" if entry.summary else ""), "dim"


def _said(message: Message) -> str:
    lines: list[str] = []
    for part in message.parts:
        match part:
            case Words():
                lines.append(part.text)
            case ToolCall():
                lines.append(f"calls {part.name} {part.arguments} ({part.id})")
            case ToolResult():
                lines.append(f"{part.id}: {part.text}")
            case Opaque():
                pass  # of its vendor alone; `export` has it
            case _:
                lines.append(f"[{part.type}]")
    return "\n          ".join(lines)
