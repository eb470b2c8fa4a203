"""Tests patch no first-party name: sizes, clocks and other parts are passed in, so that a test runs the product itself.

Patching the standard library or a third party's package is allowed: `sys.argv`, `os.fsync`, `socket.getaddrinfo`.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.names import aliases, full_name
from tests.architecture.source import Source, example, holds, sources

OURS = frozenset({"llmflow", "workflows", "bench", "tests"})
PATCHERS = frozenset({"setattr", "setitem", "delattr", "delitem"})
"""Methods of pytest's `monkeypatch`."""


def test_no_test_patches_a_first_party_name() -> None:
    holds(problem for source in sources("tests") for problem in patches(source))


def patches(source: Source) -> Iterator[str]:
    known = aliases(source)
    for found in known.values():
        if found.startswith("unittest.mock"):
            yield source.at(1, "unittest.mock: use the real part, or pass a part of the test's own in")
    for node in source.nodes(ast.Call):
        assert isinstance(node, ast.Call)
        if isinstance(node.func, ast.Attribute) and node.func.attr in PATCHERS and _is_monkeypatch(node.func.value):
            target = _target(node, known)
            if target.partition(".")[0] in OURS:
                yield source.at(node, f"patches `{target}`, which is first-party: pass it in")


def _is_monkeypatch(node: ast.expr) -> bool:
    """True for the fixture and for `pytest.MonkeyPatch.context()` under their usual names."""
    return isinstance(node, ast.Name) and node.id in ("monkeypatch", "patch", "patched")


def _target(call: ast.Call, known: dict[str, str]) -> str:
    """Return the full name of what is patched; "" for an object of the test's own."""
    target = call.args[0] if call.args else next((one.value for one in call.keywords if one.arg == "target"), None)
    if isinstance(target, ast.Constant):
        return str(target.value)  # `monkeypatch.setattr("sys.stdin", ...)`
    if isinstance(target, ast.Call) and full_name(target.func, known) == "importlib.import_module":
        target = target.args[0]
        return str(target.value) if isinstance(target, ast.Constant) else "llmflow"  # in doubt, ours
    return full_name(target, known) if target else ""


PATCHES = {
    "a constant of a module": "from llmflow.flow import checkpoints\nmonkeypatch.setattr(checkpoints, 'MAX_EVENTS', 3)",
    "by its name": "monkeypatch.setattr('llmflow.flow.checkpoints.MAX_EVENTS', 3)",
    "a method of a class": "from llmflow.client import Run\nmonkeypatch.setattr(Run, 'input', None)",
    "under another name": "import llmflow.client as ours\nmonkeypatch.setattr(ours.Run, 'input', None)",
    "an imported module": "from importlib import import_module\nmonkeypatch.setattr(import_module(name), 'SIZE', 3)",
    "a table": "from workflows.research import app\nmonkeypatch.setitem(app.TABLE, 'x', 1)",
    "a helper of the tests": "from tests.helpers import waiting\nmonkeypatch.setattr(waiting, 'until', None)",
    "with a keyword": "from bench import chain\nmonkeypatch.setattr(target=chain, name='ROUNDS', value=1)",
    "away": "from llmflow.client import Run\nmonkeypatch.delattr(Run, 'input')",
    "a mock": "from unittest.mock import patch",
}


@pytest.mark.parametrize("text", PATCHES.values(), ids=PATCHES)
def test_rejects_a_patch(text: str) -> None:
    assert len(list(patches(example(text, "tests/unit/test_example.py")))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "import sys\nmonkeypatch.setattr(sys, 'argv', ['llmflow'])",
        "monkeypatch.setattr('sys.stdin', stream)",
        "import os\nmonkeypatch.setattr(os, 'fsync', full)",
        "from importlib import metadata\nmonkeypatch.setattr(metadata, 'entry_points', none)",
        "import circuitbreaker\nmonkeypatch.setattr(circuitbreaker, 'monotonic', clock)",
        "monkeypatch.setenv('LLMFLOW_HOME', 'llmflow')",
        "from llmflow.client import Run\nsetattr(own, 'input', Run)",
    ],
)
def test_accepts_what_is_not_ours(text: str) -> None:
    assert list(patches(example(text, "tests/unit/test_example.py"))) == []
