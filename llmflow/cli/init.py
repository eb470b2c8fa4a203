"""`llmflow init`: a new project, which runs and passes its test at once."""

from pathlib import Path
from typing import Annotated

import typer

from llmflow.cli._options import AsJson
from llmflow.cli._output import out, print_json
from llmflow.dev.scaffold import scaffold


def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the project and its package, such as `mine`")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write a new project that runs and passes its test at once.

    It goes into the folder NAME: workflow, schemas, tool, prompt, worker and test.

    Example: llmflow init mine
    """
    files = scaffold(name, Path.cwd())
    if as_json:
        print_json({"name": name, "folder": str(Path.cwd() / name), "files": [str(one) for one in files]})
        return
    for one in files:
        out.print(f"  {name}/{one}", markup=False)
    out.print("\nIt runs without a key; its models.yaml says how to name a language model. Next:\n")
    for command in (f"cd {name}", f"export LLMFLOW_APP={name}.app:app", "llmflow dev", "pytest"):
        out.print(f"  {command}", markup=False)
