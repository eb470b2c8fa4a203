"""`llmflow prompts pull`: write a version's text back to its file."""

from pathlib import Path
from typing import Annotated

import typer

from llmflow.app import App
from llmflow.cli._apps import load
from llmflow.cli._options import AppPath, AsJson
from llmflow.cli._output import near, print_json, say
from llmflow.cli._run import run
from llmflow.cli.prompts._store import opened
from llmflow.errors import ConfigInvalid, InputInvalid
from llmflow.prompts.prompt import PromptVersion


def pull_prompt(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME[@VERSION]", help="research/write@3f9a or @LABEL; `production` if left out"),
    ],
    *,
    app: AppPath = None,
    force: Annotated[bool, typer.Option("--force", help="Also over a text that the store does not have")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a version of a prompt back to its file.

    Example: llmflow prompts pull research/write@3f9a --app workflows.research.app:app
    """
    served = load(app)
    name, _, word = name.partition("@")
    path = _path(served, name)

    there = _text(path)

    async def stored() -> tuple[PromptVersion, bool]:
        async with opened() as store:
            lost = there is not None and not await store.registry.has_text(name, there)
            return await store.prompt(name, word or store.settings.label), lost

    prompt, lost = run(stored())
    written = there != prompt.text
    if written:
        if lost and not force:
            raise InputInvalid(
                f"{near(path)} has a text that the store does not have, and it would be lost: store it with "
                "`llmflow prompts push`, or give it up with --force (of versions that differ in comments only, "
                "the store has the first)"
            )
        _write(path, prompt.text)
    if as_json:
        print_json({"name": name, "version": prompt.ref.version, "path": str(path), "written": written})
    elif written:
        say(f"wrote {prompt.ref} to {near(path)}")
    else:
        say(f"nothing to do: {near(path)} is {prompt.ref}")


def _path(app: App, name: str) -> Path:
    first, *rest = name.split("/")
    if app.prompts is None or first != app.name or not rest:
        raise InputInvalid(f"`{name}` is no prompt of the App {app.name!r}: its prompts are called {app.name}/...")
    return app.prompts.joinpath(*rest[:-1], f"{rest[-1]}.prompt")


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8-sig", "replace") if path.exists() else None
    except OSError as error:
        raise ConfigInvalid(f"{near(path)} cannot be read: {error.strerror}") from None


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    except OSError as error:
        raise ConfigInvalid(f"{near(path)} cannot be written: {error.strerror}") from None
