"""Which full name a name in a file stands for: imports resolved, aliases followed."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .source import Source

NAMED = re.compile(r"(llmflow(?:\.\w+)+):(\w+)")


@dataclass(frozen=True)
class Import:
    """One imported name."""

    node: ast.Import | ast.ImportFrom | ast.Constant
    target: str
    """The full name, such as `temporalio.common.RetryPolicy`."""
    alias: str
    """Content of the file; empty if the file only names it."""


def imports(source: Source) -> Iterator[Import]:
    """Every import of the file: also those in functions, those under `TYPE_CHECKING`, and `llmflow.module:name`.

    The last stands in tables, such as that of the commands, and is imported when somebody asks for it.
    """
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(node, name.name, name.asname or name.name)
        elif isinstance(node, ast.ImportFrom):
            base = _base(source, node)
            for name in node.names:
                yield Import(node, f"{base}.{name.name}", name.asname or name.name)
        elif isinstance(node, ast.Constant) and (named := NAMED.fullmatch(str(node.value))):
            yield Import(node, f"{named[1]}.{named[2]}", "")


def _base(source: Source, node: ast.ImportFrom) -> str:
    """The absolute module of `from ...x import y`."""
    if not node.level:
        return node.module or ""
    package = source.module.split(".")
    if not source.is_package:
        package.pop()
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def aliases(source: Source) -> dict[str, str]:
    """Name in the file -> full name, as far as imports say. `import a.b` binds `a`, `import a.b as c` binds `a.b`."""
    known: dict[str, str] = {}
    for found in imports(source):
        top, dot, _ = found.alias.partition(".")
        if top:
            known[top] = top if dot else found.target
    return known


def full_name(node: ast.expr, known: dict[str, str]) -> str:
    """`dt.now` -> `datetime.datetime.now`, after `from datetime import datetime as dt`; "" for what is no name."""
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        base = full_name(node.value, known)
        return f"{base}.{node.attr}" if base else ""
    return ""


def within(name: str, prefixes: frozenset[str]) -> bool:
    """Return True if the dotted name is one of the prefixes, or inside one."""
    parts = name.split(".")
    return any(".".join(parts[: end + 1]) in prefixes for end in range(len(parts)))


def room_of(module: str) -> str:
    """`llmflow.flow.llm` -> flow; "" for the root and for what is not ours."""
    top, _, rest = module.partition(".")
    return rest.partition(".")[0] if top == "llmflow" else ""
