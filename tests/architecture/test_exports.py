"""What users may import is pinned in `exports.txt`: a change of the public surface shows in a diff."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from .source import Source, example, holds, load, sources

PINNED = Path(__file__).with_name("exports.txt")
DOORS = ("app", "client", "config", "errors", "flow", "plugin", "testing", "tools", "types", "worker")
"""The rooms that users import from. The others are free to change."""
INSIDE = ("llmflow.flow.run",)
"""Packages in them that no user imports from."""
LISTING = "llmflow.types."
"""Modules that show what their `__all__` lists, and nothing without one: much of the data is between our own rooms."""


def names(source: Source) -> list[str]:
    """`__all__`; of a module without one, what it defines at its top without an underscore, or nothing."""
    found: list[str] = []
    for node in source.tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if ast.unparse(targets[0]) == "__all__" and node.value:
                return ast.literal_eval(node.value)
            if not _is_type_variable(node.value):
                found += [target.id for target in targets if isinstance(target, ast.Name)]
    return [name for name in found if not (name.startswith("_") or source.module.startswith(LISTING))]


def _is_type_variable(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) in {"TypeVar", "ParamSpec"}


def surface(files: Iterable[Source]) -> Iterator[str]:
    """The full name of everything that a door shows. Below a package that lists its names, only packages that list
    theirs show more; a package that lists nothing shows its modules instead."""
    listed = {source.module for source in files if source.is_package and names(source)} - set(INSIDE)
    for source in files:
        above = [package for package in listed if source.module.startswith(f"{package}.")]
        is_private = source.module.rpartition(".")[2].startswith("_") or (above and source.module not in listed)
        if len(source.module.split(".")) > 1 and source.module.split(".")[1] in DOORS and not is_private:
            yield from (f"{source.module}.{name}" for name in names(source))


def unpinned(now: Iterable[str], pinned: Iterable[str]) -> Iterator[str]:
    """As a diff of the file, to be copied into it."""
    before, after = set(pinned), set(now)
    advice = "the public surface changed; if that is meant: python -m tests.architecture.pin"
    yield from (f"exports.txt: - {name}  ({advice})" for name in before - after)
    yield from (f"exports.txt: + {name}  ({advice})" for name in after - before)


def unsorted(source: Source) -> Iterator[str]:
    """A package that imports something says what of it is public, in ruff's order: constants, classes, functions."""
    listed = names(source)
    if source.is_package and not listed and any(isinstance(node, ast.ImportFrom) for node in source.tree.body):
        yield source.at(1, "imports names without an `__all__` that says which of them are public")
    if source.is_package and listed != sorted(listed, key=lambda name: (not name.isupper(), name[0].islower(), name)):
        yield source.at(1, "`__all__` is not sorted (`ruff check --fix` does it)")


def test_exports_are_pinned() -> None:
    holds(unpinned(surface(sources("llmflow")), PINNED.read_text().splitlines()))


def test_exports_are_sorted() -> None:
    holds(problem for source in sources("llmflow") for problem in unsorted(source))


def test_exports_exist() -> None:
    packages = [source for source in sources("llmflow") if source.is_package]
    holds(
        source.at(1, f"`__all__` names `{name}`, which does not exist")
        for source in packages
        for name in names(source)
        if not hasattr(load(source), name)
    )


def test_rejects_a_change() -> None:
    assert list(unpinned(["llmflow.flow.complete"], []))
    assert list(unpinned([], ["llmflow.flow.complete"]))
    assert not list(unpinned(["llmflow.flow.complete"], ["llmflow.flow.complete"]))


def test_finds_the_surface() -> None:
    package = example('from ._a import a\n__all__ = ["a"]', "llmflow/flow/__init__.py")
    inner = example("def b(): ...", "llmflow/flow/b.py")
    module = example('class C: ...\nD: int = 1\nT = TypeVar("T")\n_e = 2\nfrom x import F', "llmflow/errors.py")
    data = example('__all__ = ["G"]\nclass G: ...\nclass H: ...', "llmflow/types/g.py")
    between = example("class I: ...", "llmflow/types/i.py")
    hidden = example("class J: ...", "llmflow/providers/j.py")
    files = (package, inner, module, data, between, hidden)
    assert list(surface(files)) == ["llmflow.flow.a", "llmflow.errors.C", "llmflow.errors.D", "llmflow.types.g.G"]


@pytest.mark.parametrize("listed", ['["b", "a"]', '["a", "B"]', '["Ab", "LIMIT"]'])
def test_rejects_an_unsorted_or_missing_list(listed: str) -> None:
    assert list(unsorted(example(f"__all__ = {listed}", "llmflow/flow/__init__.py")))
    assert list(unsorted(example("from ._a import a", "llmflow/flow/__init__.py")))
    assert not list(unsorted(example('__all__ = ["LIMIT", "Ab", "a"]', "llmflow/flow/__init__.py")))
