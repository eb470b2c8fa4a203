"""A class has a name of its own: no two classes of llmflow share one, whichever rooms they are in."""

import ast
from collections.abc import Iterable, Iterator

from .source import Source, example, holds, sources


def shared_names(files: Iterable[Source]) -> Iterator[str]:
    """Every class but the first of its name and those that extend it; those inside functions and classes count, too."""
    first: dict[str, str] = {}
    for source in files:
        for found in source.classes:
            taken = first.setdefault(found.name, here := f"{source.path}:{found.lineno}")
            if taken != here and not any(ast.unparse(base).endswith(f".{found.name}") for base in found.bases):
                yield source.at(found, f"`{found.name}` is a class in {taken}, too: name each after what it is")


def test_classes_have_names_of_their_own() -> None:
    holds(shared_names(sources("llmflow")))


def test_rejects_a_name_that_is_taken() -> None:
    one, other = example("class Run: ...", "llmflow/flow/a.py"), example("class Run: ...", "llmflow/client/b.py")
    [problem] = shared_names([one, other])
    assert problem.startswith("llmflow/client/b.py:1: `Run` is a class in llmflow/flow/a.py:1, too")
    assert list(shared_names([example("class _Call: ...\ndef f():\n    class _Call: ...")]))


def test_accepts_names_that_differ() -> None:
    assert not list(shared_names([example("class Call: ..."), example("class _Call: ...\nclass CallId: ...")]))
    assert not list(shared_names([example("class Call: ..."), example("class Call(calls.Call): ...", "llmflow/b.py")]))
