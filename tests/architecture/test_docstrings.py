"""Every public name says what it is; numbers and mappings say their unit or shape; errors are announced."""

import ast
from collections.abc import Iterator

import pytest

from llmflow import errors

from .names import aliases, full_name
from .source import Function, Source, example, holds, sources

SPEAKS_FOR_ITSELF = frozenset({"overload", "override", "setter", "deleter"})
NEEDS_A_UNIT = frozenset({"int", "float", "Decimal", "bytes", "dict", "timedelta"})


def silent(source: Source) -> Iterator[str]:
    """Public modules, classes, functions and methods without a docstring."""
    if source.tree.body and not ast.get_docstring(source.tree):
        yield source.at(1, "a module without a docstring: say what it is for")
    for name, node in _public(source.tree, ""):
        if not ast.get_docstring(node):
            yield source.at(node, f"`{name}` has no docstring: say what it does, with units, shapes and errors")


def _public(parent: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, ast.ClassDef | Function]]:
    for node in parent.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_") and not _is_covered(node):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node, f"{prefix}{node.name}.")


def _is_covered(node: ast.ClassDef | Function) -> bool:
    """Return True if another definition carries the docstring."""
    return any(ast.unparse(decorator).rpartition(".")[2] in SPEAKS_FOR_ITSELF for decorator in node.decorator_list)


def unitless(source: Source) -> Iterator[str]:
    """Fields whose type does not say what they hold. A string below or a comment explains one."""
    for _, cls in _public(source.tree, ""):
        fields = zip(cls.body, [*cls.body[1:], None], strict=True) if isinstance(cls, ast.ClassDef) else ()
        for field, following in fields:
            if isinstance(field, ast.AnnAssign) and not _is_explained(source, field, following):
                name, kind = ast.unparse(field.target), ast.unparse(field.annotation)
                yield source.at(field, f"`{cls.name}.{name}: {kind}` does not say its unit or shape: write it below")


def _is_explained(source: Source, field: ast.AnnAssign, following: ast.stmt | None) -> bool:
    kinds = {node.id for node in ast.walk(field.annotation) if isinstance(node, ast.Name)}
    if not kinds & NEEDS_A_UNIT or "ClassVar" in kinds or ast.unparse(field.target).startswith("_"):
        return True
    described = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
    return described or source.has_reason(field.lineno)


def unannounced(source: Source) -> Iterator[str]:
    """Errors of ours that a public function raises and its `Raises:` does not name (nor a base of them)."""
    known = aliases(source)
    for name, function in _public(source.tree, ""):
        if isinstance(function, ast.ClassDef):
            continue
        announced = (ast.get_docstring(function) or "").partition("Raises:")[2]
        for node in ast.walk(function):
            error = _error(node, known)
            if error and not any(f"{base.__name__}:" in announced for base in error.__mro__):
                yield source.at(node, f"`{name}` raises {error.__name__}, which its docstring lacks under `Raises:`")


def _error(node: ast.AST, known: dict[str, str]) -> type[errors.LLMFlowError] | None:
    """The class of ours that a `raise` names."""
    raised = node.exc if isinstance(node, ast.Raise) else None
    if isinstance(raised, ast.Call):
        raised = raised.func
    module, _, name = full_name(raised, known).rpartition(".") if raised else ("", "", "")
    return getattr(errors, name, None) if module == "llmflow.errors" else None


def test_public_names_have_docstrings() -> None:
    holds(problem for source in sources("llmflow") for problem in silent(source))


def test_fields_say_their_units() -> None:
    rooms = sources("llmflow/types", "llmflow/errors.py", "llmflow/config.py", "llmflow/app.py")
    holds(problem for source in rooms for problem in unitless(source))


def test_errors_are_announced() -> None:
    rooms = sources("llmflow/flow", "llmflow/tools", "llmflow/client", "llmflow/worker")
    holds(problem for source in rooms for problem in unannounced(source))


@pytest.mark.parametrize(
    "text", ["x = 1", '"""M."""\ndef f(): ...', '"""M."""\nclass A:\n    """A."""\n    def f(self): ...']
)
def test_rejects_a_silent_name(text: str) -> None:
    assert list(silent(example(text)))


def test_accepts_private_names_and_overloads() -> None:
    assert not list(
        silent(example('"""M."""\ndef _f(): ...\n@overload\ndef g(): ...\nclass _A:\n    def f(self): ...'))
    )


def test_rejects_a_number_without_a_unit() -> None:
    assert list(unitless(example("class A:\n    timeout: float = 1.0\n    name: str")))
    assert list(unitless(example("class A:\n    sizes: tuple[int, ...] | None = None")))
    assert not list(unitless(example('class A:\n    timeout: float = 1.0\n    """Seconds."""\n    name: str')))
    assert not list(unitless(example("class A:\n    name: str\n    # Seconds.\n    timeout: float = 1.0")))


def test_rejects_a_hidden_error() -> None:
    bad = 'from llmflow.errors import ToolNotFound\ndef f():\n    """F.{}"""\n    raise ToolNotFound("x")'
    assert list(unannounced(example(bad.format(""))))
    assert not list(unannounced(example(bad.format("\n\n    Raises:\n        ToolNotFound: always.\n    "))))
    assert not list(unannounced(example(bad.format("\n\n    Raises:\n        ToolError: always.\n    "))))
