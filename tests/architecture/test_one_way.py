"""One way for what a stranger could use: models change by `changed`, and terminals are written by one console."""

import ast
from collections.abc import Iterator

from .source import Source, example, holds, sources

CONSOLES = "llmflow/cli/output.py"


def other_ways(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).rpartition(".")[2]
        if called == "model_copy":
            yield source.at(node, "`model_copy` takes any value: use `changed` of llmflow/types/base.py")
        if called == "Console" and source.path != CONSOLES:
            yield source.at(node, f"text of strangers acts on such a console: use those of {CONSOLES}")


def test_there_is_one_way() -> None:
    holds(problem for source in sources("llmflow") for problem in other_ways(source))


def test_rejects_others() -> None:
    assert list(other_ways(example("a.model_copy(update={})")))
    assert list(other_ways(example("Console()")))
    assert not list(other_ways(example("changed(a, b=1)")))
