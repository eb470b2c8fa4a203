"""`llmflow prompts show`: one version of one prompt."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from llmflow.cli.apps import load
from llmflow.cli.bridge import run
from llmflow.cli.options import AppPath, AsJson
from llmflow.cli.output import near, out, print_json
from llmflow.cli.prompt_json import prompt_as_json
from llmflow.config import Settings
from llmflow.service.prompts import FILE, Prompts, PromptVersion, opened, store_name
from llmflow.worker.apps import prompts_of


def show_prompt(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME[@VERSION]",
            help="research/write: the file, or the newest version of a prompt in code; with @3f9a or @LABEL: a version "
            "in the store",
        ),
    ],
    *,
    app: AppPath = None,
    as_json: AsJson = False,
) -> None:
    """Show one prompt of an App.

    Its version, model, variables, and the text of its messages: those of the file, or of a version in the store.

    Example: llmflow prompts show research/write@production --app workflows.research.app:app
    """
    name, _, word = name.partition("@")
    served = load(app)
    files = prompts_of(served)
    if word and word != FILE:
        prompt = run(_stored(name, word))
    elif word or name in files:
        prompt = files.get(name)
    else:
        prompt = run(_in_code(served.name, files, name))
    if as_json:
        print_json(prompt_as_json(prompt))
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for title, text in _facts(prompt):
        grid.add_row(title, text)
    out.print(grid)
    for message in prompt.templates.messages:
        out.print()
        out.print(Text(f"{message.role}:", "bold"))
        out.print(Text(message.text), soft_wrap=True)


async def _stored(name: str, word: str) -> PromptVersion:
    async with opened(Settings.load()) as store:
        return await store.prompt(name, word)


async def _in_code(app: str, files: Prompts, name: str) -> PromptVersion:
    settings = Settings.load()
    if store_name(settings)[1]:
        return files.get(name)
    async with opened(settings) as store:
        return Prompts((*files, *await store.without_file(app, files))).get(name)


def _facts(prompt: PromptVersion) -> list[tuple[str, str]]:
    options = prompt.options.model_dump(mode="json")
    facts = {
        "prompt": prompt.ref.name,
        "version": prompt.ref.version,
        "model": prompt.model,
        "config": ", ".join(f"{name}: {value}" for name, value in options.items()),
        "variables": ", ".join(_variable(prompt, name) for name in prompt.variables),
        "tools": ", ".join(prompt.tools),
        "metadata": ", ".join(f"{name}: {value}" for name, value in prompt.metadata.items()),
        "from": near(prompt.templates.path),
    }
    return [(title, text) for title, text in facts.items() if text]


def _variable(prompt: PromptVersion, name: str) -> str:
    types = prompt.input.get(name)
    return f"{name} ({' or '.join(types)})" if types else name
