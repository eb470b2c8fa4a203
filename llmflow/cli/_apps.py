"""Apps by their path, and the examples by their name."""

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

from llmflow import app
from llmflow.app import App
from llmflow.cli._examples import AnyDemo, example_demo, offer_example
from llmflow.errors import InputInvalid


def load(path: str | None) -> App:
    """The App at `package.module:attribute`, with the current folder first on the import path, and examples last.

    Raises:
        InputInvalid: no App is named.
        ConfigInvalid: there is none at this path.
    """
    path = require(path)
    _look_here()
    offer_example(path.partition(":")[0])
    return _served(app.load_app(path))


def require(path: str | None) -> str:
    """The path of an App, for a command that cannot do without.

    Raises:
        InputInvalid: no App is named.
    """
    if path is None:
        known = _apps_here()
        example = known[0] if len(known) == 1 else "package.module:attribute"
        raise InputInvalid(f"no App is named: add `--app {example}`, or `export LLMFLOW_APP={example}` once")
    return path


def named(path: str | None) -> str:
    """The option that names this App in a command line to type: empty where LLMFLOW_APP names it already."""
    return "" if path is None or os.environ.get("LLMFLOW_APP") == path else f" --app {path}"


def _apps_here() -> list[str]:
    """Of packages in the current folder whose app.py defines `app`, as in a project that `llmflow init` made."""
    files = sorted(Path.cwd().glob("*/app.py"))
    return [f"{one.parent.name}.app:app" for one in files if re.search("^app = ", one.read_text(errors="ignore"), re.M)]


def load_demo(name: str | None) -> AnyDemo:
    """How an example shows what it does, whatever the current folder holds; without a name, the first of them.

    Raises:
        InputInvalid: there is none of this name; names those that there are.
    """
    demo = example_demo(name)
    return replace(demo, app=_served(demo.app))


def _look_here() -> None:
    """Put the current folder first on the import path."""
    here = os.getcwd()
    if sys.path[0] != here:  # a console script has its own folder there, `python -m` this one
        sys.path.insert(0, here)


def _served(served: App) -> App:
    # Temporal logs the bugs of a workflow from inside the sandbox, and a terminal's log is written by rich: imported
    # there once more it fails, and hides the bug.
    return replace(served, passthrough=(*served.passthrough, "rich"))
