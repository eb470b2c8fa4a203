"""`llmflow prompts pull`: write a version's text back to its file."""

from typing import Annotated

import typer

from llmflow.cli.apps import load
from llmflow.cli.bridge import run
from llmflow.cli.options import AppPath, AsJson
from llmflow.cli.output import near, print_json, say
from llmflow.config import Settings
from llmflow.service.prompts import Pulled, opened, pull


def pull_prompt(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME[@VERSION]", help="research/write@3f9a or @LABEL; `production` if left out"),
    ],
    *,
    app: AppPath = None,
    force: Annotated[bool, typer.Option("--force", help="Also overwrite a text that the store does not have")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a version of a prompt back to its file.

    Example: llmflow prompts pull research/write@3f9a --app workflows.research.app:app
    """
    served = load(app)
    name, _, word = name.partition("@")

    async def write() -> Pulled:
        async with opened(Settings.load()) as store:
            return await pull(store, served, name, word or None, force=force)

    pulled = run(write())
    ref, path = pulled.prompt.ref, near(pulled.path)
    if as_json:
        print_json({"name": name, "version": ref.version, "path": str(pulled.path), "written": pulled.written})
    elif pulled.written:
        say(f"wrote {ref} to {path}")
    else:
        say(f"nothing to do: {path} is {ref}")
