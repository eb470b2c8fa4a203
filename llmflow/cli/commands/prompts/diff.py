"""`llmflow prompts diff`: the differences between two versions of a prompt."""

from typing import Annotated

import typer
from rich.text import Text

from llmflow.cli.apps import load
from llmflow.cli.bridge import run
from llmflow.cli.options import AppPath, AsJson
from llmflow.cli.output import out, print_json, say
from llmflow.cli.prompt_changes import PromptName
from llmflow.config import Settings
from llmflow.service.prompts import FILE, Difference, difference, opened
from llmflow.worker.apps import prompts_of

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def diff_prompt(
    name: PromptName,
    before: Annotated[
        str | None,
        typer.Argument(metavar="FROM", help="A version: first digits, a label, or `file`; `production` if left out"),
    ] = None,
    after: Annotated[str, typer.Argument(metavar="TO", help="Likewise")] = FILE,
    *,
    app: AppPath = None,
    as_json: AsJson = False,
) -> None:
    """Show the differences between two versions of a prompt.

    Without FROM and TO, from `production` to the file: what would change if that label moved to it. Without such a
    label, from the newest version in the store that is not the file's.

    Example: llmflow prompts diff research/write --app workflows.research.app:app
    """
    served, settings = load(app), Settings.load()

    async def both() -> Difference:
        async with opened(settings) as store:
            return await difference(store, name, before, after, lambda: prompts_of(served).get(name))

    found = run(both())
    old, new, lines = found.old, found.new, found.lines
    if as_json:
        print_json({"name": name, "from": old.ref.version, "to": new.ref.version, "diff": "\n".join(lines)})
        return
    if found.unlabelled:
        known = "the store has no version but the file's"
        if old.ref != new.ref:
            known = f"this is from {old.ref.version}, the newest version in the store that is not the file's"
        say(f"{name} has no label {settings.label} yet: {known}", "dim")
    for line in lines:
        out.print(Text(line, _COLOURS.get(line[:1], "")), soft_wrap=True)
    if old.ref == new.ref:
        say(f"both are {old.ref}" + (": only comments, metadata or white space differ" if lines else ""))
