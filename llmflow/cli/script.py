"""The console script."""

from llmflow.cli.interrupts import quiet_imports

with quiet_imports():
    from llmflow.cli.main import main

__all__ = ["main"]
