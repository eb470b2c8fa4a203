"""`llmflow prompts list|show`: the prompts of an App, as its worker would serve them."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from llmflow.cli._apps import load
from llmflow.cli._models import prompts_of
from llmflow.cli._options import AppPath, AsJson
from llmflow.cli._output import near, out, print_json, say
from llmflow.stores.prompts import Prompt, Prompts


def list_prompts(app: AppPath, *, as_json: AsJson = False) -> None:
    """List the prompts of an App.

    With their versions, models and variables.

    Example: llmflow prompts list workflows.research.app:app
    """
    prompts = prompts_of(load(app))
    if as_json:
        print_json([_as_json(one) for one in prompts])
    elif not prompts:
        say("this App has no prompts: give it prompts=Path(...)")
    else:
        out.print(_table(prompts))


def show_prompt(
    app: AppPath,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the prompt: research/write")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one prompt of an App.

    Its version, model, variables, and the text of its messages.

    Example: llmflow prompts show workflows.research.app:app research/write
    """
    prompt = prompts_of(load(app)).get(name)
    if as_json:
        print_json(_as_json(prompt))
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for title, text in _facts(prompt):
        grid.add_row(title, escape(text))
    out.print(grid)
    for message in prompt.templates.messages:
        out.print()
        out.print(Text(f"{message.role}:", "bold"))
        out.print(Text(message.text), soft_wrap=True)


def _table(prompts: Prompts) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("prompt", "version", "model", "variables"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "version")
    for one in prompts:
        table.add_row(one.ref.name, one.ref.version, one.model, ", ".join(one.variables))
    return table


def _facts(prompt: Prompt) -> list[tuple[str, str]]:
    options = prompt.options.model_dump(mode="json")
    facts = {
        "prompt": prompt.ref.name,
        "version": prompt.ref.version,
        "model": prompt.model,
        "config": ", ".join(f"{name}: {value}" for name, value in options.items()),
        "variables": ", ".join(_variable(prompt, name) for name in prompt.variables),
        "tools": ", ".join(prompt.tools),
        "metadata": ", ".join(f"{name}: {value}" for name, value in prompt.metadata.items()),
        "file": near(prompt.templates.path),
    }
    return [(title, text) for title, text in facts.items() if text]


def _variable(prompt: Prompt, name: str) -> str:
    types = prompt.input.get(name)
    return f"{name} ({' or '.join(types)})" if types else name


def _as_json(prompt: Prompt) -> dict[str, Any]:  # Any: JSON
    return {
        "name": prompt.ref.name,
        "version": prompt.ref.version,
        "model": prompt.model,
        "config": prompt.options.model_dump(mode="json"),
        "variables": prompt.variables,
        "input": prompt.input,
        "output": prompt.output,
        "tools": prompt.tools,
        "metadata": prompt.metadata,
        "path": prompt.templates.path,
        "messages": [{"role": one.role, "text": one.text} for one in prompt.templates.messages],
    }
