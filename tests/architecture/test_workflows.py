"""Applications: workflow code imports no I/O, and its package stays empty."""

import ast
from collections.abc import Iterator

from .names import imports, room_of
from .source import Source, example, holds, sources


def workflow_imports(source: Source) -> Iterator[str]:
    """A `workflow.py` sees flow, types and errors; its package's `__init__` has a docstring at most."""
    if source.is_package and source.tree.body[bool(ast.get_docstring(source.tree)) :]:
        yield source.at(1, "must stay empty: the sandbox executes it again for every run")
    for found in imports(source) if source.path.endswith("/workflow.py") else ():
        if found.target.startswith("llmflow.") and room_of(found.target) not in {"flow", "types", "errors"}:
            yield source.at(found.node, f"workflow code imports flow, types and errors only, not `{found.target}`")


def test_workflows() -> None:
    holds(problem for source in sources("workflows") for problem in workflow_imports(source))


def test_rejects_a_workflow_with_io() -> None:
    assert list(workflow_imports(example("from llmflow.client import connect", "workflows/a/workflow.py")))
    assert list(workflow_imports(example("from .workflow import A", "workflows/a/__init__.py")))
    assert not list(workflow_imports(example('"""A."""', "workflows/a/__init__.py")))
    assert not list(workflow_imports(example("from llmflow import flow", "workflows/a/workflow.py")))
