"""Apps by their path, and examples by their name."""

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

from llmflow import app
from llmflow.app import App
from llmflow.cli.examples import AnyDemo, example_demo, offer_example
from llmflow.errors import InputInvalid


def load(path: str | None) -> App:
    """Load the App at `package.module:attribute`, with the current folder first on the import path, and examples last.

    Raises:
        InputInvalid: no App is named.
        ConfigInvalid: no App is at this path.
    """
    path = require(path)
    look_here()
    offer_example(path.partition(":")[0])
    return _served(app.load_app(path))


def require(path: str | None) -> str:
    """Return the path of an App, for a command that needs one.

    Raises:
        InputInvalid: no App is named.
    """
    if path is None:
        known = _apps_here()
        example = known[0] if len(known) == 1 else "package.module:attribute"
        raise InputInvalid(f"no App is named: add `--app {example}`, or `export LLMFLOW_APP={example}` once")
    return path


def named(path: str | None) -> str:
    """Return the option that names this App in a command line: empty if LLMFLOW_APP names it already."""
    return "" if path is None or os.environ.get("LLMFLOW_APP") == path else f" --app {path}"


def _apps_here() -> list[str]:
    """Return Apps of packages in the current folder whose app.py defines `app`, as `llmflow init` writes it."""
    files = sorted(Path.cwd().glob("*/app.py"))
    return [f"{one.parent.name}.app:app" for one in files if re.search("^app = ", one.read_text(errors="ignore"), re.M)]


def load_demo(name: str | None) -> AnyDemo:
    """Return the demo of an example, whatever the current folder holds; without a name, the first one.

    Raises:
        InputInvalid: no example has this name; lists those that exist.
    """
    demo = example_demo(name)
    return replace(demo, app=_served(demo.app))


def look_here() -> None:
    """Put the current folder first on the import path."""
    here = os.getcwd()
    if sys.path[0] != here:  # a console script has its own folder there, `python -m` this one
        sys.path.insert(0, here)


def _served(served: App) -> App:
    # Temporal logs the bugs of a workflow from inside the sandbox, and a terminal's log is written by rich: a second
    # import of it there fails, and hides the bug.
    return replace(served, passthrough=(*served.passthrough, "rich"))
