"""New project in a folder of its own: written whole, or not at all."""

import keyword
import re
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from llmflow.errors import ConfigInvalid, ErrorDetail, InputInvalid

_TEMPLATE = Path(__file__).parent / "template"
_SUFFIX = ".template"  # keeps tools from taking the template's files for code and configuration of this project
_HIDDEN = frozenset({"gitignore", "dockerignore"})  # would be read here if they had their dots
_PLACEHOLDER = "my_project"  # a name that may stand wherever the project's own will
_TAKEN = frozenset({"tests", "workers"})


def scaffold(name: str, parent: Path) -> list[Path]:
    """Write a project that runs and passes its test at once.

    Args:
        name: Name of the project's folder, its package, its App and its task queue.
        parent: Folder in which the project's folder is made.

    Returns:
        The files, relative to the new folder, sorted.

    Raises:
        InputInvalid: the name is invalid, or taken.
        ConfigInvalid: the folder cannot be written. Nothing is left behind.
    """
    for problem in _problems(name, parent):
        raise InputInvalid(f"project name {name!r} {problem}", ErrorDetail(field="name"))
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=".llmflow-init-") as draft:
            files = _write(name, Path(draft) / name)
            (Path(draft) / name).rename(parent / name)
    except OSError as error:
        raise ConfigInvalid(f"{parent} cannot be written: {error.strerror}") from None
    return files


def _problems(name: str, parent: Path) -> Iterator[str]:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,29}", name):
        yield "must be a name of a Python package: lower case letters, digits and `_`, at most 30, a letter first"
    elif keyword.iskeyword(name):
        yield "is a keyword of Python: choose another"
    elif name in sys.stdlib_module_names:
        yield "is a module of Python's standard library, which would be imported instead: choose another"
    elif name in _TAKEN:
        yield "is the name of a folder inside every project: choose another"
    elif (parent / name).exists():
        yield f"is taken: {parent / name} exists; choose another, or remove it"
    elif (found := find_spec(name)) is not None:
        yield f"is an installed package ({found.origin}), which would be imported instead: choose another"


def _write(name: str, root: Path) -> list[Path]:
    files: list[Path] = []
    for source in sorted(_TEMPLATE.rglob(f"*{_SUFFIX}")):
        path = str(source.relative_to(_TEMPLATE)).removesuffix(_SUFFIX).replace(_PLACEHOLDER, name)
        target = root / (f".{path}" if path in _HIDDEN else path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text("utf-8").replace(_PLACEHOLDER, name), "utf-8")
        files.append(target.relative_to(root))
    return sorted(files)
