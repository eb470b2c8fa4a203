"""`llmflow init`: a new project, which runs and passes its test at once."""

import json
import shlex
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from urllib.request import url2pathname

import typer

from llmflow.cli.options import AsJson
from llmflow.cli.output import out, print_json
from llmflow.dev.scaffold import scaffold


def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the project and its package, such as `mine`")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write a new project that runs and passes its test at once.

    It writes the folder NAME: workflow, schemas, tool, prompt, worker, test, and an image with a compose file.

    Example: llmflow init mine
    """
    files = scaffold(name, Path.cwd())
    if as_json:
        print_json({"name": name, "folder": str(Path.cwd() / name), "files": [str(one) for one in files]})
        return
    for one in files:
        out.print(f"  {name}/{one}")
    out.print("\nIt runs without a key; its models.yaml says how to name a language model. Next:\n")
    _print_commands(f"cd {name}", f"export LLMFLOW_APP={name}.app:app", "llmflow dev", "pytest")
    out.print("\nAs containers, with the wheel of llmflow beside the Dockerfile, because no package index has it:\n")
    _print_commands(f"pip wheel --no-deps --wheel-dir . {_origin()}", "docker compose up --build --detach --wait")


def _print_commands(*commands: str) -> None:
    for command in commands:
        out.print(f"  {command}", soft_wrap=True)


def _origin() -> str:
    """Return what this llmflow was installed from, for a shell: a wheel, or the clone of an editable install."""
    try:
        recorded = distribution("llmflow").read_text("direct_url.json")
    except PackageNotFoundError:  # it runs from a folder, and nothing is installed
        recorded = None
    url = str(json.loads(recorded)["url"]) if recorded else ""
    path = url2pathname(urlsplit(url).path)
    return shlex.quote(path) if path and Path(path).exists() else "path/to/clone/or/wheel"
