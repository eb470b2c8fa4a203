"""The console script."""

from importlib import import_module

from llmflow.cli.interrupts import quiet_imports


def main() -> None:
    """Run the command line."""
    with quiet_imports():
        command_line = import_module("llmflow.cli.main")  # not at the top: there Ctrl-C would print a traceback
    command_line.main()
