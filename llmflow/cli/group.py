"""Groups of commands that are imported lazily: a report does not import an SDK that it does not use."""

from collections import UserDict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from llmflow.cli.script import quiet_imports

Target = str | typer.Typer
"""Command as `llmflow.module:function`, or group: by its name, or itself."""
Panels = Mapping[str | None, Mapping[str, Target]]
"""Heading of the help screen -> name -> command, all in the order in which the help shows them."""


def lazy_group(panels: Panels) -> type[TyperGroup]:
    """Return the class for `typer.Typer(cls=...)` whose commands are those of the table.

    tests/architecture reads each `llmflow.module:name` of such a table as an import.
    """

    class LazyGroup(TyperGroup):
        def __init__(self, **settings: Any) -> None:  # Any: Typer's own, which are passed on
            super().__init__(**settings)
            self.commands = _Commands(panels)

    return LazyGroup


@dataclass(frozen=True)
class _Command:
    name: str
    panel: str | None
    target: Target

    def load(self) -> Any:  # Any: Typer does not publish the base class of its commands
        target = self.target
        if isinstance(target, str):
            module, _, name = target.partition(":")
            with quiet_imports():
                target = getattr(import_module(module), name)
        around = typer.Typer()  # Typer makes the same command for a group
        if isinstance(target, typer.Typer) and target.registered_commands:  # one command, with settings of its own
            around.registered_commands += target.registered_commands
        elif isinstance(target, typer.Typer):
            around.add_typer(target, name=self.name, rich_help_panel=self.panel)
        else:
            around.command(self.name, rich_help_panel=self.panel)(target)
        return typer.main.get_group(around).commands[self.name]


class _Commands(UserDict[str, Any]):  # Any: as above
    """Commands of a group by name. Listing the names loads none of them."""

    def __init__(self, panels: Panels) -> None:
        super().__init__()
        for panel, commands in panels.items():
            self.data.update({name: _Command(name, panel, target) for name, target in commands.items()})

    def __getitem__(self, name: str) -> Any:
        if isinstance(found := self.data[name], _Command):
            found = self.data[name] = found.load()
        return found
