"""Apps by their path, and what they serve."""

import os
import sys
from dataclasses import replace

from llmflow.app import App, load_app
from llmflow.errors import ConfigInvalid

RESEARCH = "workflows.research.app:app"
"""The application that comes with this project, and that `demo` and `dev` run."""


def load(path: str) -> App:
    """The App at `package.module:attribute`, with the current folder first on the import path.

    Raises:
        ConfigInvalid: there is none.
    """
    here = os.getcwd()
    if sys.path[0] != here:  # a console script has its own folder there, `python -m` this one
        sys.path.insert(0, here)
    app = load_app(path)
    # Temporal logs the bugs of a workflow from inside the sandbox, and a terminal's log is written by rich: imported
    # there once more it fails, and hides the bug.
    return replace(app, passthrough=(*app.passthrough, "rich"))


def load_research() -> App:
    """The research assistant.

    Raises:
        ConfigInvalid: it is not here, as in every project but llmflow's own.
    """
    try:
        return load(RESEARCH)
    except ConfigInvalid as error:
        raise ConfigInvalid(
            f"the research assistant that this runs is not here ({error.message}). Run it in a clone of llmflow; or "
            "write a project of your own with `llmflow init NAME`"
        ) from None
