"""`llmflow graph`: the state machines of an App, drawn."""

from typing import Annotated

import typer
from rich.text import Text

from llmflow.cli.apps import load
from llmflow.cli.options import AppPath, AsJson
from llmflow.cli.output import out, print_json
from llmflow.service.graphs import find_machines, mermaid


def graph(
    machine: Annotated[str | None, typer.Argument(metavar="[MACHINE]", help="Class of one machine")] = None,
    *,
    app: AppPath = None,
    as_json: AsJson = False,
) -> None:
    """Draw the state machines of an App as Mermaid, for Markdown or mermaid.live.

    Those that the modules of its workflows define or import.

    Example: llmflow graph Onboarding --app workflows.onboarding.app:app
    """
    found = find_machines(load(app), machine)
    if as_json:
        print_json(found)
    else:
        out.print(Text("\n\n".join(mermaid(one) for one in found)), soft_wrap=True)
