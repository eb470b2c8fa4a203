"""`llmflow graph`: the state machines of an App, drawn."""

import sys
from typing import Annotated

import typer
from rich.text import Text

from llmflow.app import App
from llmflow.cli._apps import load
from llmflow.cli._options import AppPath, AsJson
from llmflow.cli._output import out, print_json
from llmflow.errors import InputInvalid, did_you_mean
from llmflow.types.machines import MachineDescription


def graph(
    machine: Annotated[str | None, typer.Argument(metavar="[MACHINE]", help="Class of one machine")] = None,
    *,
    app: AppPath = None,
    as_json: AsJson = False,
) -> None:
    """Draw the state machines of an App as Mermaid, for Markdown or mermaid.live.

    They are those that the modules of its workflows define or import.

    Example: llmflow graph Onboarding --app workflows.onboarding.app:app
    """
    found = _chosen(load(app), machine)
    if as_json:
        print_json(found)
    else:
        out.print(Text("\n\n".join(one.mermaid() for one in found)), soft_wrap=True)


def machines_of(app: App) -> tuple[MachineDescription, ...]:
    """In the order in which the modules have them."""
    held = [value for workflow in app.workflows for value in vars(sys.modules[workflow.__module__]).values()]
    descriptions = [getattr(value, "description", None) for value in held if isinstance(value, type)]
    return tuple(dict.fromkeys(one for one in descriptions if isinstance(one, MachineDescription)))


def _chosen(app: App, name: str | None) -> tuple[MachineDescription, ...]:
    known = machines_of(app)
    if not known:
        raise InputInvalid(
            f"App {app.name!r} has no state machine: the modules of its workflows define or import none. A workflow's "
            "own way is shown by its history: `llmflow steps RUN`"
        )
    names = [one.name for one in known]
    if name is not None and name not in names:
        raise InputInvalid(
            f"App {app.name!r} has no machine `{name}`{did_you_mean(name, names)}. It has: {', '.join(names)}"
        )
    return tuple(one for one in known if name in (None, one.name))
