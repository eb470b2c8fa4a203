"""`llmflow prompts diff`: what two versions of a prompt have different."""

from difflib import unified_diff
from typing import Annotated

import typer
from rich.text import Text

from llmflow.cli._apps import load
from llmflow.cli._options import AppPath, AsJson
from llmflow.cli._output import out, print_json, say
from llmflow.cli._run import run
from llmflow.cli.prompts._store import PromptName, opened
from llmflow.config import Settings
from llmflow.prompts.prompt import PromptVersion
from llmflow.stores.prompts.labels import FILE
from llmflow.stores.prompts.states import PromptState
from llmflow.worker import prompts_of

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
    """Show what two versions of a prompt have different.

    Without FROM and TO, from `production` to the file: what would change if that label moved to it. Without such a
    label, from the newest version in the store that is not the file's.

    Example: llmflow prompts diff research/write --app workflows.research.app:app
    """
    served, label = load(app), Settings.load().label

    async def both() -> tuple[str, list[PromptVersion]]:
        async with opened() as store:
            old = before or label
            if before is None and label not in (state := await store.labels.state(name)).labels:
                old = _newest_other(state, prompts_of(served).get(name).ref.version)
            words = old, after
            found = [prompts_of(served).get(name) if word == FILE else await store.prompt(name, word) for word in words]
            return old, found

    word, (old, new) = run(both())
    unlabelled = word != (before or label)
    titles = f"{old.ref} ({'in the store' if unlabelled else word})", f"{new.ref} ({after})"
    lines = list(unified_diff(old.text.splitlines(), new.text.splitlines(), titles[0], titles[1], lineterm=""))
    if as_json:
        print_json({"name": name, "from": old.ref.version, "to": new.ref.version, "diff": "\n".join(lines)})
        return
    if unlabelled:
        known = "the store has no version but the file's"
        if old.ref != new.ref:
            known = f"this is from {old.ref.version}, the newest version in the store that is not the file's"
        say(f"{name} has no label {label} yet: {known}", "dim")
    for line in lines:
        out.print(Text(line, _COLOURS.get(line[:1], "")), soft_wrap=True)
    if old.ref == new.ref:
        say(f"both are {old.ref}" + (": only comments, metadata or white space differ" if lines else ""))


def _newest_other(state: PromptState, of_file: str) -> str:
    """The file's own, if the store has no other."""
    stored = [one.version for one in state.versions]
    return next((version for version in stored if version != of_file), stored[0])
