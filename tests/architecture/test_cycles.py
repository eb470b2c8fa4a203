"""No module reaches itself through its imports, and none hides that by importing late."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from .names import imports, room_of
from .source import Source, example, holds, sources

BY_NAME = {"llmflow/app.py", "llmflow/cli/examples.py", "llmflow/cli/group.py", "llmflow/sdk/definitions.py"}
"""Modules that import by a name from elsewhere: the user's App and workflows, examples, commands."""


def graph(files: tuple[Source, ...]) -> dict[str, set[str]]:
    """Module -> the modules that it runs by importing."""
    modules = {source.module for source in files}
    edges: dict[str, set[str]] = {}
    for source in files:
        reached = {_module(found.target, modules) for found in imports(source)} & modules
        edges[source.module] = {run for module in reached for run in _runs(module, source.module) if run in modules}
    return edges


def _module(target: str, modules: set[str]) -> str:
    """The longest part of a full name that is a module."""
    while target and target not in modules:
        target = target.rpartition(".")[0]
    return target


def _runs(module: str, importer: str) -> Iterator[str]:
    """The module, and the packages around it, unless they stand around the importer too: those run already."""
    yield module
    package = module.rpartition(".")[0]
    while package and not f"{importer}.".startswith(f"{package}."):
        yield package
        package = package.rpartition(".")[0]


def cycle(edges: Mapping[str, set[str]]) -> Iterator[str]:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        path: list[str] = error.args[1]
        yield " <- ".join(path) + ": a cycle; move what both need to a module that imports neither"


def lazy_imports(source: Source) -> Iterator[str]:
    advice = "move it to the top; if that makes a cycle, an arrow points the wrong way"
    inside = {id(node) for function in source.functions for node in ast.walk(function)}
    for found in imports(source):
        if id(found.node) in inside and room_of(found.target):
            yield source.at(found.node, f"imports `{found.target}` inside a function: {advice}")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"import_module", "__import__"}:
            module = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            if room_of(str(module)):
                yield source.at(node, f"imports `{module}` by a call: {advice}")
            elif module is None and source.path not in BY_NAME:
                yield source.at(node, "imports what no rule can read: write the name of the module here")


def test_no_cycles() -> None:
    holds(cycle(graph(sources("llmflow"))))


def test_no_lazy_imports() -> None:
    holds(problem for source in sources("llmflow") for problem in lazy_imports(source))


def test_the_tables_of_commands_are_read() -> None:
    files = sources("llmflow")
    edges = graph(files)
    reached, ahead = set[str](), {"llmflow.cli.script"}
    while ahead:
        reached |= ahead
        ahead = {run for module in ahead for run in edges[module]} - reached
    commands = {source.module for source in files if room_of(source.module) == "cli" and not source.is_package}
    assert commands <= reached, "a command is in no table; or its table cannot be read"


def test_rejects_a_cycle() -> None:
    a = example("from llmflow.a import b", "llmflow/a/a.py")
    b = example("from . import a", "llmflow/a/b.py")
    assert list(cycle(graph((a, b))))
    named = example("TABLE = {'b': 'llmflow.a.b:run'}", "llmflow/a/a.py")
    assert list(cycle(graph((named, b))))


def test_rejects_a_cycle_through_a_package() -> None:
    package = example("from llmflow.a.b import B", "llmflow/a/__init__.py")
    inside = example("from llmflow.a import C", "llmflow/a/b.py")
    outside = example("from llmflow.a.c import C", "llmflow/d.py")
    back = example("from llmflow.d import D", "llmflow/a/b.py")
    assert list(cycle(graph((package, inside))))
    assert list(cycle(graph((package, back, outside, example("", "llmflow/a/c.py")))))


def test_accepts_siblings_below_a_package_that_lists_them() -> None:
    package = example("from llmflow.a.b import B", "llmflow/a/__init__.py")
    sibling = example("from llmflow.a.c import C", "llmflow/a/b.py")
    assert not list(cycle(graph((package, sibling, example("", "llmflow/a/c.py")))))


def test_rejects_lazy_imports() -> None:
    assert list(lazy_imports(example("def f():\n    from llmflow.types import wire")))
    assert list(lazy_imports(example("class A:\n    async def f(self):\n        import llmflow.types.base")))
    assert list(lazy_imports(example("importlib.import_module('llmflow.types.base')")))
    assert list(lazy_imports(example("importlib.import_module('llmflow' + '.types.wire')")))
    assert list(lazy_imports(example("def f():\n    return load('llmflow.types.base:Wire')")))
    assert not list(lazy_imports(example("TABLE = {'a': 'llmflow.types.base:Wire'}")))
    assert not list(lazy_imports(example("importlib.import_module('litellm')")))
    assert not list(lazy_imports(example("def f():\n    import litellm")))
