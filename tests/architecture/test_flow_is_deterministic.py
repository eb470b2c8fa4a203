"""Workflow code is replayed: nothing in `llmflow/flow` may answer differently the second time."""

import ast
from collections.abc import Iterator

import pytest

from .names import aliases, full_name, imports
from .source import Source, example, holds, sources

BANNED = {
    # what                        what to do instead
    "os": "settings are read at the edges and handed down as data",
    "io": "do I/O in an activity",
    "pathlib": "do I/O in an activity",
    "tempfile": "do I/O in an activity",
    "socket": "do I/O in an activity",
    "subprocess": "do I/O in an activity",
    "open": "do I/O in an activity",
    "input": "do I/O in an activity",
    "threading": "a workflow has one thread",
    "concurrent": "a workflow has one thread",
    "asyncio.to_thread": "a workflow has one thread",
    "time": "use workflow.now() and workflow.sleep()",
    "datetime.datetime.now": "use workflow.now()",
    "datetime.datetime.utcnow": "use workflow.now()",
    "datetime.datetime.today": "use workflow.now()",
    "datetime.date.today": "use workflow.now().date()",
    "random": "use workflow.random()",
    "secrets": "make secrets outside; history is no place for them",
    "uuid.uuid1": "use workflow.uuid4()",
    "uuid.uuid4": "use workflow.uuid4()",
    "hash": "salted per process; use hashlib",
    "id": "an address; name things yourself",
    "asyncio.TaskGroup": "it raises a group where callers wait for one error; use fan_out() or together()",
    "asyncio.timeout": "round a plain activity it raises ActivityError; use workflow.wait_condition()",
    "asyncio.timeout_at": "round a plain activity it raises ActivityError; use workflow.wait_condition()",
    "asyncio.wait_for": "round a plain activity it raises ActivityError; use workflow.wait_condition()",
    "asyncio.wait": "it iterates a set; use workflow.wait()",
    "asyncio.as_completed": "it iterates a set; use workflow.as_completed()",
}

TO_SEQUENCE = frozenset({"list", "tuple", "iter", "next", "enumerate", "map", "filter", "zip", "join"})
"""Calls that keep the order of what they are given. `sorted`, `len`, `min`, `max`, `sum` do not mind it."""


def banned_names(source: Source) -> Iterator[str]:
    for node, name in _names(source):
        for banned, advice in BANNED.items():
            if name == banned or name.startswith(banned + "."):
                yield source.at(node, f"`{banned}` is not deterministic: {advice}")


def _names(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Return imports, the full names of their uses, and the built-ins that are called."""
    known = aliases(source)
    yield from ((found.node, found.target) for found in imports(source))
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).partition(".")[0] in known:
            yield node, full_name(node, known)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node, full_name(node.func, known)


def iterated_sets(source: Source) -> Iterator[str]:
    sets = {target for node in ast.walk(source.tree) for target in _bound_to_set(node)}
    for node in ast.walk(source.tree):
        for iterated in _iterated(node):
            if _is_set(iterated, sets):
                what = ast.unparse(iterated)
                yield source.at(iterated, f"the order of the set `{what}` differs between processes: sort it first")


def _iterated(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield node.iter
    elif isinstance(node, ast.Starred | ast.YieldFrom):
        yield node.value
    elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in TO_SEQUENCE:
        yield from node.args


def _is_set(node: ast.expr, sets: set[str]) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_set(node.left, sets) or _is_set(node.right, sets)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in {"set", "frozenset"}
    return isinstance(node, ast.Set | ast.SetComp) or (isinstance(node, ast.Name) and node.id in sets)


def _bound_to_set(node: ast.AST) -> Iterator[str]:
    """The names that an assignment or an annotation makes sets."""
    if isinstance(node, ast.Assign) and _is_set(node.value, set()):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation:
        target = ast.Name(node.arg) if isinstance(node, ast.arg) else node.target
        kind = ast.unparse(node.annotation).partition("[")[0].rpartition(".")[2]
        if isinstance(target, ast.Name) and kind in {"set", "frozenset", "Set", "AbstractSet"}:
            yield target.id


def test_no_banned_names() -> None:
    holds(problem for source in sources("llmflow/flow") for problem in banned_names(source))


def test_no_iterated_sets() -> None:
    holds(problem for source in sources("llmflow/flow") for problem in iterated_sets(source))


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "from time import monotonic",
        "from datetime import datetime as dt\nstarted = dt.now()",
        "import datetime\nday = datetime.date.today()",
        "import uuid\nname = uuid.uuid4()",
        "from uuid import uuid4 as unique",
        "import asyncio\nasync def f():\n    async with asyncio.TaskGroup() as group: ...",
        "import asyncio as aio\nasync def f(x):\n    await aio.wait_for(x, 1)",
        "text = open('a').read()",
        "key = hash('a')",
    ],
)
def test_rejects_what_differs_on_replay(text: str) -> None:
    assert list(banned_names(example(text)))


def test_accepts_what_workflows_give() -> None:
    good = "import asyncio, uuid\nfrom temporalio import workflow\nnow, one = workflow.now(), uuid.UUID(int=1)"
    assert not list(banned_names(example(good)))
    assert not list(
        banned_names(example("from datetime import datetime, timedelta\ndef f(id, time: datetime): return id, time"))
    )


@pytest.mark.parametrize(
    "text",
    [
        "for x in {1, 2}: ...",
        "names = [x for x in set(y)]",
        "names = list(frozenset(y) | {1})",
        "text = ', '.join({str(x) for x in y})",
        "seen = set()\nfor x in seen: ...",
        "def f(seen: set[str]):\n    return [*seen]",
    ],
)
def test_rejects_an_iterated_set(text: str) -> None:
    assert list(iterated_sets(example(text)))


def test_accepts_a_sorted_set() -> None:
    assert not list(iterated_sets(example("for x in sorted({1, 2}): ...\nfound = 1 in {1, 2}\nn = len(set(y))")))
