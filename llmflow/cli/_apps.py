"""Apps by their path, and the applications that come with this project by their name."""

import os
import sys
from dataclasses import replace
from enum import StrEnum
from typing import Any

from llmflow import app
from llmflow.app import App, Demo
from llmflow.errors import ConfigInvalid

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
    """The App at `package.module:attribute`, with the current folder first on the import path.

    Raises:
        ConfigInvalid: there is none.
    """
    _look_here()
    return _served(app.load_app(path))


def load_research() -> App:
    """The research assistant.

    Raises:
        ConfigInvalid: it is not here, as in every project but llmflow's own.
    """
    return load_demo(Application.RESEARCH).app


def load_demo(name: Application) -> AnyDemo:
    """How an application of this project shows what it does.

    Raises:
        ConfigInvalid: it is not here, as in every project but llmflow's own.
    """
    _look_here()
    try:
        demo = app.load_demo(f"workflows.{name}.demo:demo")
    except ConfigInvalid as error:
        raise ConfigInvalid(
            f"the application `{name}` is not here ({error.message}). Run it in a clone of llmflow; or write a project "
            "of your own with `llmflow init NAME`"
        ) from None
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
