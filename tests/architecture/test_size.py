"""Small files, small functions, and no code where nobody looks for it."""

import ast
from collections.abc import Iterator

from .source import Source, example, holds, sources

MAX_FILE = 400
MAX_FUNCTION = 60
MAX_WORKER = 40

EVERYTHING = ("llmflow", "workflows", "workers", "tests", "bench")


def too_long(source: Source) -> Iterator[str]:
    length = len(source.text.splitlines())
    most = MAX_WORKER if source.path.startswith("workers/") else MAX_FILE
    if length > most:
        yield source.at(most, f"{length} lines, at most {most}: split the file where its subject changes")
    for function in source.functions:
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > MAX_FUNCTION:
            yield source.at(function, f"`{function.name}` has {length} lines, at most {MAX_FUNCTION}: split it")


def code_in_init(source: Source) -> Iterator[str]:
    if not source.is_package:
        return
    for node in source.tree.body[bool(ast.get_docstring(source.tree)) :]:
        names = [ast.unparse(target) for target in node.targets] if isinstance(node, ast.Assign) else []
        if not isinstance(node, ast.Import | ast.ImportFrom) and not set(names) & {"__all__", "__version__"}:
            yield source.at(node, "an `__init__` holds a docstring, imports and `__all__`: move this to a module")


def test_sizes() -> None:
    holds(problem for source in sources(*EVERYTHING) for problem in too_long(source))


def test_inits() -> None:
    holds(problem for source in sources(*EVERYTHING) for problem in code_in_init(source))


def test_rejects_what_is_too_long() -> None:
    function = "async def f():\n" + "    x = 1\n" * MAX_FUNCTION
    assert list(too_long(example("x = 1\n" * (MAX_FILE + 1))))
    assert list(too_long(example("x = 1\n" * (MAX_WORKER + 1), "workers/research.py")))
    assert list(too_long(example(function)))


def test_accepts_what_just_fits() -> None:
    assert not list(too_long(example("x = 1\n" * MAX_FILE)))
    assert not list(too_long(example("def f():\n" + "    x = 1\n" * (MAX_FUNCTION - 1))))


def test_rejects_code_in_an_init() -> None:
    good = '"""A room."""\nfrom .a import A\n__all__ = ["A"]\n'
    assert not list(code_in_init(example(good, "llmflow/flow/__init__.py")))
    for bad in ("LIMIT = 3", "def f(): ...", "for x in (): ...", "print()", "x: int = 1"):
        assert list(code_in_init(example(good + bad, "llmflow/flow/__init__.py")))
