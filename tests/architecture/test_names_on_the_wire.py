"""`llmflow/types/wire.py` has every name on the wire: no other module spells one, and each is used."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator

import pytest

from llmflow.types import wire

from .names import imports
from .source import ROOT, Source, example, holds, sources

WIRE = "llmflow/types/wire.py"
SPELLED = re.compile(r"llmflow(\.[a-z_]+)+")
OTHERS = {
    "llmflow/telemetry/genai.py": "attributes of spans, which Temporal never sees",
    "llmflow/config.py": "llmflow.db, a file",
}
"""Files whose literals of that form name something else."""
_MODULE = "llmflow.types.wire."
NAMES = {name: value for name, value in vars(wire).items() if name.isupper()}


def spelled(source: Source, names: Collection[str]) -> Iterator[str]:
    """Literals that are such a name, or look like one: names of loggers and modules are none."""
    loggers = {id(call.args[0]) for call in source.nodes(ast.Call) if isinstance(call, ast.Call) and _is_logger(call)}
    for node in source.nodes(ast.Constant):
        if not isinstance(node, ast.Constant) or not isinstance(text := node.value, str) or id(node) in loggers:
            continue
        attribute = text in names and not text.startswith("llmflow")
        if attribute or (SPELLED.fullmatch(text) and source.path not in OTHERS and not _is_module(text)):
            yield source.at(node, f"{text!r}: a name on the wire stands in {WIRE}, and is imported from there")


def _is_logger(call: ast.Call) -> bool:
    return ast.unparse(call.func).endswith("getLogger") and bool(call.args)


def _is_module(text: str) -> bool:
    path = ROOT / text.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def unused(names: Iterable[str], files: Iterable[Source]) -> Iterator[str]:
    """Names that no module imports, or takes from `wire`."""
    used: set[str] = set()
    for source in files:
        used.update(one.target.rpartition(".")[2] for one in imports(source) if one.target.startswith(_MODULE))
        used.update(
            node.attr
            for node in source.nodes(ast.Attribute)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "wire"
        )
    return (f"{WIRE}: nobody uses {name}: remove it" for name in names if name not in used)


def test_no_other_module_spells_a_name() -> None:
    files = [source for source in sources("llmflow") if source.path != WIRE]
    holds(problem for source in files for problem in spelled(source, NAMES.values()))


def test_each_name_is_used() -> None:
    holds(unused(NAMES, sources("llmflow")))


@pytest.mark.parametrize(
    "text",
    [
        "HEADER = 'llmflow.batch'",
        "handle.query('llmflow.usage')",
        "workflow.set_query_handler('llmflow.of_tomorrow', answer)",
        "key = SearchAttributeKey.for_float('LlmCostUsd')",
        "log.getChild('llmflow.key')",
    ],
)
def test_rejects_a_name_that_is_spelled_elsewhere(text: str) -> None:
    assert list(spelled(example(text), NAMES.values()))


@pytest.mark.parametrize(
    "text",
    [
        "_log = logging.getLogger('llmflow.worker')",
        "_log = logging.getLogger('llmflow.breaker')",
        "import_module('llmflow.cli.main')",
        '"""The query `llmflow.usage`."""',
        "code = f'llmflow.{name}'",
        "folder = '.llmflow'",
    ],
)
def test_accepts_what_is_no_name(text: str) -> None:
    assert not list(spelled(example(text), NAMES.values()))


def test_rejects_a_name_that_nobody_uses() -> None:
    files = [example("from llmflow.types import wire\nname = wire.USED"), example("from llmflow.types.wire import TOO")]
    assert len(list(unused(["USED", "TOO", "GONE"], files))) == 1
