"""The environment is read at the edges only; everything else is given what it says, as data."""

import ast
from collections.abc import Iterator

import pytest

from .names import aliases, full_name, imports
from .source import Source, example, holds, sources

EDGES = {
    # where                                  why
    "llmflow/config.py": "the settings",
    "llmflow/cli/": "a process that people start",
    "llmflow/worker/": "where keys of vendors are",
    "llmflow/dev/": "what other processes are started with",
    "llmflow/plugin/": "users make a plugin without any settings of ours; OpenTelemetry's variables go to telemetry/",
    "llmflow/providers/litellm/provider.py": "writes what litellm reads while it is imported, and nowhere else",
}

READS = frozenset({"os.environ", "os.environb", "os.getenv", "os.getenvb"})


def reads(source: Source) -> Iterator[str]:
    known = aliases(source)
    found = [(node, full_name(node, known)) for node in ast.walk(source.tree) if isinstance(node, ast.expr)]
    for node, name in [*((one.node, one.target) for one in imports(source)), *found]:
        if name in READS and not source.path.startswith(tuple(EDGES)):
            yield source.at(node, f"reads `{name}`: read it at an edge ({', '.join(EDGES)}), and pass on what it says")


def test_the_environment_is_read_at_the_edges() -> None:
    holds(problem for source in sources("llmflow") for problem in reads(source))


def test_every_edge_reads_it() -> None:
    """An edge that reads nothing any more is none."""
    texts = {source.path: source.text for source in sources("llmflow")}
    unused = [edge for edge in EDGES if not any("os." in text for path, text in texts.items() if path.startswith(edge))]
    assert not unused


@pytest.mark.parametrize(
    "text",
    [
        "import os\nkey = os.environ['KEY']",
        "import os as system\nkey = system.environ.get('KEY')",
        "from os import environ",
        "from os import getenv as get\nkey = get('KEY')",
        "import os\ndef f(environ=os.environ): ...",
    ],
)
@pytest.mark.parametrize("path", ["llmflow/telemetry/a.py", "llmflow/client/a.py", "llmflow/providers/litellm/a.py"])
def test_rejects_a_reader(text: str, path: str) -> None:
    assert list(reads(example(text, path)))


def test_accepts_what_is_passed_and_what_edges_read() -> None:
    assert not list(reads(example("import os\ndef f(environ): return os.path.join(environ['HOME'], 'a')")))
    assert not list(reads(example("import os\nkey = os.environ['KEY']", "llmflow/cli/a.py")))
