"""Apps by their path, and the examples by their name."""

import os
import sys
from dataclasses import replace
from enum import StrEnum
from typing import Any

from llmflow import app
from llmflow.app import App, Demo
from llmflow.cli._examples import offer_example, use_examples

RESEARCH = "workflows.research.app:app"
"""The application that `dev` serves if nobody says which."""

AnyDemo = Demo[Any, Any]  # Any: demos of runs with inputs and results of every type


class Application(StrEnum):
    """What `llmflow demo` can show: the folders of `workflows/`."""

    RESEARCH = "research"
    SUPPORT = "support"
    TRAVEL = "travel"
    REVIEW = "review"
    DIGEST = "digest"
    ONBOARDING = "onboarding"


def load(path: str) -> App:
    """The App at `package.module:attribute`, with the current folder first on the import path, and examples last.

    Raises:
        ConfigInvalid: there is none.
    """
    _look_here()
    offer_example(path.partition(":")[0])
    return _served(app.load_app(path))


def load_research() -> App:
    """The research assistant: that of the current folder, or the example.

    Raises:
        ConfigInvalid: the current folder has one, and it is broken.
    """
    return load(RESEARCH)


def load_demo(name: Application) -> AnyDemo:
    """How an application of the examples shows what it does, whatever the current folder holds."""
    use_examples()
    demo = app.load_demo(f"workflows.{name}.demo:demo")
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
