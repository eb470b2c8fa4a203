"""Only rooms that are filled exist: no empty folders, no stubs, no notes about work to do."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .names import full_name
from .source import ROOT, Function, Source, example, holds, sources

OURS = ("llmflow", "workflows", "workers")


def empty_folders(root: Path) -> Iterator[str]:
    folders = (folder for folder in root.rglob("*") if folder.is_dir() and folder.name != "__pycache__")
    for folder in (root, *folders):
        content = {entry.name for entry in folder.iterdir()} - {"__pycache__"}
        if content <= {"__init__.py"}:
            yield f"{folder}: an empty folder; it comes with its first file"


def stubs(source: Source) -> Iterator[str]:
    protocols = {id(method) for cls in source.classes if _is_protocol(cls) for method in cls.body}
    for function in source.functions:
        if id(function) not in protocols and _is_hollow(function) and not _is_declaration(function):
            yield source.at(function, f"`{function.name}` does nothing: write it, or leave it out")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield source.at(node, "promises code for later: write it, or leave it out (or make the method abstract)")
    for line, comment in source.comments.items():
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", comment):
            yield source.at(line, "a note about work to do: do it, or open an issue")


def _is_protocol(cls: ast.ClassDef) -> bool:
    return any("Protocol" in ast.unparse(base) for base in cls.bases)


def _is_hollow(function: Function) -> bool:
    """Nothing but `pass` or `...`. A docstring alone is a choice: it says why there is nothing to do."""
    body = function.body[bool(ast.get_docstring(function)) :]
    return bool(body) and all(isinstance(node, ast.Pass) or ast.unparse(node) == "..." for node in body)


def _is_declaration(function: Function) -> bool:
    decorators = {full_name(decorator, {}).rpartition(".")[2] for decorator in function.decorator_list}
    return bool(decorators & {"overload", "abstractmethod"})


def test_no_empty_folders() -> None:
    holds(problem for folder in OURS if (ROOT / folder).exists() for problem in empty_folders(ROOT / folder))


def test_no_stubs() -> None:
    holds(problem for source in sources(*OURS) for problem in stubs(source))


def test_rejects_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "room" / "corner").mkdir(parents=True)
    (tmp_path / "room" / "__init__.py").touch()
    assert len(list(empty_folders(tmp_path))) == 1
    (tmp_path / "room" / "corner").rmdir()
    assert len(list(empty_folders(tmp_path))) == 1
    (tmp_path / "room" / "chair.py").touch()
    assert not list(empty_folders(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    pass",
        "async def f():\n    ...",
        'class A:\n    def f(self):\n        """Later."""\n        pass',
        "def f():\n    raise NotImplementedError",
        "x = 1  # TODO: make it two",
    ],
)
def test_rejects_a_stub(text: str) -> None:
    assert list(stubs(example(text)))


@pytest.mark.parametrize(
    "text",
    [
        "class A(Protocol):\n    def f(self) -> int: ...",
        "@overload\ndef f(x: int) -> int: ...",
        "class A(ABC):\n    @abc.abstractmethod\n    def f(self): ...",
        'async def close():\n    """Nothing is open."""',
    ],
)
def test_accepts_a_declaration(text: str) -> None:
    assert not list(stubs(example(text)))
