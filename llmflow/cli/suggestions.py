"""Suggestions after a demo: its run, the other examples, a project of one's own."""

import shutil
import sys
from pathlib import Path

from rich.text import Text

from llmflow.app import App
from llmflow.cli.examples import demo_names, examples_root
from llmflow.cli.output import err, near, say


def llmflow_command() -> str:
    """Return `llmflow` as it can be typed here: with its folder if it is not on PATH."""
    called = Path(sys.argv[0])
    return near(called) if called.name == "llmflow" and not shutil.which("llmflow") else "llmflow"


def again(app: App) -> str:
    """Return the command that serves the application of a demo, with its runs."""
    return f"{llmflow_command()} dev --app workflows.{app.name}.app:app"


def show_next(app: App) -> None:
    """Print what to read and to run next. Every path exists, in a clone as in an installed wheel."""
    root, command = examples_root(), llmflow_command()
    others = "|".join(name for name in demo_names() if name != app.name)
    lines = {
        "another example": f"{command} demo {others}",
        "the code of this one": near(root / "workflows" / app.name),
        "a project of your own": f"{command} init mine",
        "how to go on from there": near(root / "docs" / "getting-started.md"),
    }
    say("\nNext")
    for title, what in lines.items():
        # A terminal wraps a long path by itself, so that it can still be copied.
        err.print(Text.assemble((f"  {title:<23}  ", "dim"), what), soft_wrap=True)
