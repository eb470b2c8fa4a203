"""Rooms below the doors name no command line: each door says what to do in its own words."""

import ast
import re
from collections.abc import Iterator

import pytest

from .source import Source, example, holds, sources

BELOW = ("client", "errors.py", "prompts", "providers", "service", "stores", "types")
_COMMAND = re.compile(r"`llmflow [a-z]|(?<![\w-])--[a-z]")


def commands(source: Source) -> Iterator[str]:
    """Texts of the file, docstrings included, that name a command or an option."""
    for node in source.nodes(ast.Constant):
        assert isinstance(node, ast.Constant)
        if isinstance(node.value, str) and (found := _COMMAND.search(node.value)):
            name = found[0].strip("`")
            yield source.at(node, f"names `{name}...` of the command line: give the error a `Remedy`, which cli words")


def test_no_command_below_the_doors() -> None:
    rooms = sources(*(f"llmflow/{room}" for room in BELOW if not room.endswith(".py")))
    files = [source for source in sources("llmflow") if source.path == "llmflow/errors.py"]
    holds(problem for source in (*rooms, *files) for problem in commands(source))


@pytest.mark.parametrize(
    "text",
    [
        "raise StoreUnavailable('run `llmflow store upgrade`')",
        "hint = f'give {by} with --by'",
        '"""The answer of `llmflow cost`."""',
    ],
)
def test_rejects_a_command(text: str) -> None:
    assert list(commands(example(text, "llmflow/stores/a.py")))


@pytest.mark.parametrize("text", ["'runs -- all of them'", "'a---b'", "'`llmflow.decide`'", "'well-known'"])
def test_accepts_what_is_none(text: str) -> None:
    assert not list(commands(example(text, "llmflow/stores/a.py")))
