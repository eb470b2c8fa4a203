"""Commands that are imported when they are used, not when they are listed.

`llmflow --help`, `--version`, a wrong option and each TAB of a completion need nothing of what the commands import,
above all not the Temporal SDK: that saves a second of CPU each time. It is no way around a cycle: no command imports
`main`.
"""

from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup


class Later(TyperCommand):
    """A line of `--help`, which stands for a command in a module of its own."""

    def __init__(self, target: str, help: str, *, name: str | None = None, panel: str | None = None) -> None:
        """Describe it.

        Args:
            target: `package.module:function` of the command.
            help: The first line of the function's docstring.
            name: Of the command, if not the function's.
            panel: Heading in the list of all commands.
        """
        super().__init__(name or target.partition(":")[2], help=help, rich_help_panel=panel)
        self.target = target

    def load(self) -> Any:  # Any: a command of click, or of the copy of it that newer Typers carry
        """The command itself."""
        module, _, function = self.target.partition(":")
        loader = typer.Typer(add_completion=False)
        loader.command(self.name)(getattr(import_module(module), function))
        return typer.main.get_command(loader)


class LaterGroup(TyperGroup):
    """A group of such commands."""

    later: ClassVar[tuple[Later, ...]]

    def __init__(self, **settings: Any) -> None:  # Any: Typer's own settings, passed on
        super().__init__(**settings)
        self.commands = {**{str(command.name): command for command in self.later}, **self.commands}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:  # Any: as in `Later.load`
        """See base class. Called when a command is run or completed, and not when it is listed."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, Later) else command, rest
