"""Public names are those in the `__all__` of a door, pinned in `exports.txt`: a change shows in a diff."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from llmflow.dev.scaffold import scaffold

from .markdown import Page, pages
from .names import imports, room_of
from .source import Source, example, holds, load, sources

PINNED = Path(__file__).with_name("exports.txt")
DOORS = ("app", "client", "config", "errors", "flow", "plugin", "testing", "tools", "types", "worker")
"""The rooms that users import from. The others are free to change."""
INSIDE = ("llmflow.flow.run",)
"""Packages in them that no user imports from."""


def names(source: Source) -> list[str]:
    """`__all__`. What a module does not list is between our own rooms, or its own."""
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return []


def surface(files: Iterable[Source]) -> Iterator[str]:
    """The full name of everything that a door lists."""
    for source in files:
        _, _, below = source.module.partition(".")
        if below.partition(".")[0] in DOORS and source.module not in INSIDE:
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


def unlisted(source: Source, public: Iterable[str]) -> Iterator[str]:
    """Names of ours that users would import from the file, and that no door lists."""
    known = {*public, *(name.rpartition(".")[0] for name in public)}
    for found in imports(source):
        if isinstance(found.node, ast.Import | ast.ImportFrom) and room_of(found.target) and found.target not in known:
            yield source.at(found.node, f"shows users {found.target}, which is not public")


def _shown(page: Page) -> Iterator[Source]:
    for block in page.blocks:
        if block.language == "python":
            yield Source(page.path, "\n" * (block.line - 1) + block.code)


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


def test_what_users_see_is_public(tmp_path: Path) -> None:
    public = PINNED.read_text().splitlines()
    files = [source for page in pages() for source in _shown(page)]
    files += [source for source in sources("workflows", "workers") if not source.path.endswith("/demo.py")]
    scaffold("mine", tmp_path)
    files += [Source(f"the project of `llmflow init`: {one.name}", one.read_text()) for one in tmp_path.rglob("*.py")]
    holds(problem for source in files for problem in unlisted(source, public))


def test_rejects_a_change() -> None:
    assert list(unpinned(["llmflow.flow.complete"], []))
    assert list(unpinned([], ["llmflow.flow.complete"]))
    assert not list(unpinned(["llmflow.flow.complete"], ["llmflow.flow.complete"]))


def test_finds_the_surface() -> None:
    package = example('from .a import a\n__all__ = ["a"]', "llmflow/flow/__init__.py")
    inner = example("def b(): ...", "llmflow/flow/b.py")
    inside = example('__all__ = ["C"]', "llmflow/flow/run/__init__.py")
    module = example('__all__ = ["D"]\nclass D: ...\nclass E: ...', "llmflow/errors.py")
    hidden = example('__all__ = ["F"]\nclass F: ...', "llmflow/providers/f.py")
    assert list(surface((package, inner, inside, module, hidden))) == ["llmflow.flow.a", "llmflow.errors.D"]


def test_rejects_a_name_that_is_not_public() -> None:
    public = ["llmflow.flow.complete", "llmflow.worker.run"]
    shown = (
        "from llmflow import flow\nfrom llmflow.flow import complete\nimport llmflow.worker\nfrom temporalio import x"
    )
    assert not list(unlisted(example(shown), public))
    assert list(unlisted(example("from llmflow.errors import did_you_mean"), public))
    assert list(unlisted(example("from llmflow import stores"), public))


@pytest.mark.parametrize("listed", ['["b", "a"]', '["a", "B"]', '["Ab", "LIMIT"]'])
def test_rejects_an_unsorted_or_missing_list(listed: str) -> None:
    assert list(unsorted(example(f"__all__ = {listed}", "llmflow/flow/__init__.py")))
    assert list(unsorted(example("from ._a import a", "llmflow/flow/__init__.py")))
    assert not list(unsorted(example('__all__ = ["LIMIT", "Ab", "a"]', "llmflow/flow/__init__.py")))
