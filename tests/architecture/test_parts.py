"""A run is a table of parts. Each has a file of its own, and alone changes its own fields."""

import ast
from collections.abc import Iterator
from pathlib import PurePath

import pytest

from llmflow.flow.run import CurrentRun, Host, Part

from .source import Source, example, holds, sources

RUN = ("run", "_run")
"""Names of the run, as a variable or an attribute."""
PARTS = frozenset(name for name, value in vars(CurrentRun(Host())).items() if isinstance(value, Part))
MUTATORS = {"append", "add", "update", "pop", "remove", "clear", "extend", "insert", "setdefault", "discard", "popitem"}


def meddling(source: Source) -> Iterator[str]:
    """Changes of a part's fields from outside of the part."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Assign(targets=changed) | ast.Delete(targets=changed):
                targets = changed
            case ast.AnnAssign(target=one) | ast.AugAssign(target=one):
                targets = [one]
            case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in MUTATORS:
                targets = [value]
            case _:
                continue
        for target in targets:
            if part := _part_of(target):
                yield source.at(node, f"changes a field of `{part}` from outside: give the part a method for it")


def _part_of(target: ast.expr) -> str | None:
    """The part, where the target is a field of one: `run.steps.records`, also inside an item of it."""
    while isinstance(target, ast.Subscript):
        target = target.value
    match target:
        case ast.Attribute(value=ast.Attribute(value=owner, attr=part)) if part in PARTS:
            name = owner.func if isinstance(owner, ast.Call) else owner
            called = name.id if isinstance(name, ast.Name) else getattr(name, "attr", "")
            return f"{part}" if called in (*RUN, "current") else None
        case _:
            return None


def misplaced(source: Source) -> Iterator[str]:
    """Parts that share a file, or have none of their own in `flow/run/`."""
    parts = [cls for cls in source.classes if any(ast.unparse(base) == "Part" for base in cls.bases)]
    for cls in parts[1:]:
        yield source.at(cls, f"`{cls.name}` is a second part in one file: give it its own")
    if parts and PurePath(source.path).parent != PurePath("llmflow/flow/run"):
        yield source.at(parts[0], f"`{parts[0].name}` is a part: it belongs into flow/run/")


def test_parts_change_their_own_fields() -> None:
    holds(problem for source in sources("llmflow") for problem in (*meddling(source), *misplaced(source)))


def test_every_part_is_in_the_table_once() -> None:
    table = [type(value) for value in vars(CurrentRun(Host())).values() if isinstance(value, Part)]
    assert sorted(one.__name__ for one in table) == sorted(one.__name__ for one in Part.__subclasses__())


@pytest.mark.parametrize(
    "text",
    [
        "run.sagas.is_undone = True",
        "self._run.steps.records['a'] = 1",
        "self.run.machines.open += 1",
        "current().waits.waits.append(wait)",
        "del run.steps.records[name]",
        "class A(Part): ...\nclass B(Part): ...",
        "class A(Part): ...",
    ],
)
def test_rejects_meddling_and_parts_without_a_file(text: str) -> None:
    source = example(text, "llmflow/flow/a.py")
    assert [*meddling(source), *misplaced(source)]


@pytest.mark.parametrize(
    "text",
    ["run.steps.change(name, done=1)", "self._run = run", "steps = run.steps", "found.steps.records = {}"],
)
def test_accepts_calls(text: str) -> None:
    source = example(text, "llmflow/flow/a.py")
    assert not [*meddling(source), *misplaced(source)]
