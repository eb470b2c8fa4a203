"""Sources for the rules: the files of the project, as text, as a syntax tree, and as imported modules."""

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file; or an example that pretends to be one."""

    path: str
    """From the project's root, with `/`: the path says which rules hold."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        try:
            return ast.parse(self.text, self.path)
        except SystemError:  # CPython 3.11 counts the depths of two threads that parse at once together
            return ast.parse(self.text, self.path)

    @cached_property
    def comments(self) -> dict[int, str]:
        """Line -> the comment on it. Strings that look like comments are none."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}

    @property
    def module(self) -> str:
        """The dotted name, such as `llmflow.flow.llm`."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def is_package(self) -> bool:
        return self.path.endswith("__init__.py")

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        return tuple(node for node in ast.walk(self.tree) if isinstance(node, Function))

    @cached_property
    def classes(self) -> tuple[ast.ClassDef, ...]:
        return tuple(node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    def has_reason(self, line: int) -> bool:
        """Return True if a comment is on the line, or alone on the line above it."""
        above = self.text.splitlines()[line - 2].lstrip() if line > 1 else ""
        return line in self.comments or (above.startswith("#") and line - 1 in self.comments)

    def at(self, where: ast.AST | int, problem: str) -> str:
        """The violation, where an editor can jump to it."""
        line = where if isinstance(where, int) else getattr(where, "lineno", 1)
        return f"{self.path}:{line}: {problem}"


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """All Python files of these folders, and these files. A folder that does not exist yet has none."""
    return tuple(_source(file) for name in folders for file in _python(ROOT / name))


@cache
def _source(file: Path) -> Source:
    return Source(file.relative_to(ROOT).as_posix(), file.read_text("utf-8"))


def forget_sources() -> None:
    """Free the syntax trees of the whole project: with them, each later garbage collection would take seconds."""
    sources.cache_clear()
    _source.cache_clear()


def _python(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def example(text: str, path: str = "llmflow/flow/example.py") -> Source:
    """A made-up file, to prove a rule on."""
    return Source(path, dedent(text).lstrip("\n"))


def load(source: Source) -> ModuleType:
    return import_module(source.module)


def is_thawed_dataclass(cls: type) -> bool:
    params: Any = getattr(cls, "__dataclass_params__", None)  # Any: dataclasses' own, and undocumented
    return params is not None and not params.frozen


def holds(violations: Iterable[str]) -> None:
    """Fail with all violations at once, one per line."""
    found = sorted(set(violations))
    if found:
        pytest.fail("\n".join([f"{len(found)} violation(s)", *found]), pytrace=False)
