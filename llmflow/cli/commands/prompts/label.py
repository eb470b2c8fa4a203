"""`llmflow prompts label`: point a label to another version."""

from typing import Annotated

import typer

from llmflow.cli.bridge import run
from llmflow.cli.options import AppPath, AsJson
from llmflow.cli.prompt_changes import Force, LabelName, PromptName, Why, file_of, show_changes
from llmflow.config import Settings
from llmflow.service.prompts import Move, opened


def label_prompt(
    name: PromptName,
    version: Annotated[
        str,
        typer.Argument(
            metavar="VERSION",
            help="First digits of a version, or another label; `back`: where it pointed before; `file`: what the file "
            "of the App has; `none`: no label, so that runs follow the file",
        ),
    ],
    label: LabelName = None,
    *,
    why: Why = None,
    protect: Annotated[
        bool | None, typer.Option("--protect/--unprotect", help="Whether later moves need --force and --why")
    ] = None,
    force: Force = False,
    app: AppPath = None,
    as_json: AsJson = False,
) -> None:
    """Point a label to another version.

    New runs begin with the version of the label `production`, or of the file if the prompt has no such label. Open runs
    keep theirs.

    Example: llmflow prompts label research/write back --why "answers got longer"
    """
    file = file_of(name, [version], app)

    async def move() -> tuple[Move, ...]:
        async with opened(Settings.load(), create=file is not None) as store:
            reason = store.reason(why, force=force)
            of = label or store.settings.label
            return await store.labels.move(name, of, version, reason, protect=protect, file=file)

    show_changes(name, run(move()), as_json=as_json)
