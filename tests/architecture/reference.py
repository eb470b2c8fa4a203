"""`docs/reference.md` out of the code: each public name with its signature and what its docstring says first.

A page of Python that is compiled and not run: classes without the bodies of their methods, functions with all their
overloads.
"""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

from .names import imports
from .source import Function, Source

_HEAD = """# Reference

Every public name, with its signature and the first paragraph of its docstring. `python -m tests.architecture.pin`
writes this page from the code. Names that it does not list may change in any version.
"""
_BASES = ("ApplicationError", "Generic", "Protocol", "Enum", "StrEnum", "TypedDict")
_DEFINITION = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Definition:
    """Source of a public name: a class, the overloads of a function, or a value with the string below it."""

    source: Source
    nodes: tuple[ast.stmt, ...]
    doc: str


def reference(exports: Sequence[str], files: Sequence[Source]) -> str:
    """The page, by module."""
    modules = {source.module: source for source in files}
    public = {name.rpartition(".")[2] for name in exports}
    lines = [_HEAD]
    shown = ""
    for name in sorted(exports, key=lambda name: name.rpartition(".")[::2]):
        module, _, short = name.rpartition(".")
        if any(one.target == name for one in imports(modules[module]) if name in modules):
            continue  # a module among the names of another has its own heading
        if module != shown:
            shown = module
            lines += [f"## {module}", "", _first(ast.get_docstring(modules[module].tree) or ""), ""]
        found = definition(modules, module, short)
        lines += [f"### {short}", "", "```python fragment", *_code(found, public), "```", ""]
        if found.doc:
            lines += [found.doc, ""]
    return _formatted("\n".join(lines).rstrip() + "\n")


def definition(modules: Mapping[str, Source], module: str, name: str) -> Definition:
    """Follow imports to where the name is defined.

    Raises:
        LookupError: no module of ours defines it.
    """
    source = modules[module]
    body = source.tree.body
    for place, node in enumerate(body):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() if node.name == name:
                nodes = [one for one in body if isinstance(one, _DEFINITION) and one.name == name]
                said = ast.get_docstring(nodes[-1])
                is_overloaded = len(nodes) > 1
                return Definition(source, tuple(nodes[:-1] if is_overloaded else nodes), _first(said or ""))
            case ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(id=target)):
                if target == name:
                    return Definition(source, (node,), _first(_below(body, place)))
            case _:
                pass
    for one in imports(source):
        if one.alias == name and (origin := one.target.rpartition("."))[0] in modules:
            return definition(modules, origin[0], origin[2])
    raise LookupError(f"no module defines {module}.{name}")


def _below(body: Sequence[ast.stmt], place: int) -> str:
    """The string after a field or a value."""
    match body[place + 1 : place + 2]:
        case [ast.Expr(value=ast.Constant(value=str(text)))]:
            return inspect.cleandoc(text)
        case _:
            return ""


def _first(doc: str) -> str:
    """The first paragraph."""
    return inspect.cleandoc(doc).partition("\n\n")[0].strip()


def _code(found: Definition, public: set[str]) -> Iterator[str]:
    for node in found.nodes:
        match node:
            case ast.ClassDef():
                yield from _class(node, public)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _function(node)
            case _:
                yield ast.unparse(node)


def _class(node: ast.ClassDef, public: set[str]) -> Iterator[str]:
    """The class with its public fields and methods, and with those of its bases that a reader knows."""
    bases = [base for base in map(ast.unparse, node.bases) if base.partition("[")[0] in {*public, *_BASES}]
    yield from map(_decorator, node.decorator_list)
    head = f"class {node.name}({', '.join(bases)}):" if bases else f"class {node.name}:"
    members = list(_members(node))
    yield from [head, *(f"    {line}" if line else "" for line in members)] if members else [f"{head} ..."]


def _members(node: ast.ClassDef) -> Iterator[str]:
    """Fields, then methods: of one with overloads these, without what they are implemented by."""
    for place, member in enumerate(node.body):
        match member:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                if not name.startswith("_") and name != "model_config":
                    yield from _comment(_first(_below(node.body, place)))
                    yield ast.unparse(member)
            case _:
                pass
    methods = [member for member in node.body if isinstance(member, Function) and _is_shown(member)]
    for name in dict.fromkeys(method.name for method in methods):
        same = [method for method in methods if method.name == name]
        yield ""
        yield from _comment(_first(ast.get_docstring(same[-1]) or ""))
        for method in same[: len(same) - 1 or 1]:
            yield from _function(method)


def _is_shown(method: Function) -> bool:
    is_validator = any(
        "validator" in ast.unparse(one) or "serializer" in ast.unparse(one) for one in method.decorator_list
    )
    takes_something = len(method.args.args) + len(method.args.kwonlyargs) > 1
    special = method.name == "__call__" or (method.name == "__init__" and takes_something)
    return special or not (method.name.startswith("_") or is_validator)


def _comment(text: str) -> Iterator[str]:
    return (f"# {line}" for line in text.splitlines())


def _decorator(node: ast.expr) -> str:
    return f"@{ast.unparse(node)}"


def _function(node: Function) -> Iterator[str]:
    """Without its body."""
    stub = copy(node)
    stub.body = [ast.Expr(ast.Constant(...))]
    yield from ast.unparse(stub).splitlines()


def _formatted(page: str) -> str:
    """As `ruff format` writes the code of a page."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "docs/reference.md", "-"]
    return subprocess.run(command, input=page, capture_output=True, text=True, check=True).stdout
