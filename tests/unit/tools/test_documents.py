"""Searching a folder: the right passage first, and clear words when there is nothing to search."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.errors import ConfigInvalid, ToolArgumentsInvalid, ToolRefused
from llmflow.tools import SearchResult, SkippedFile, run_tool, search_documents, search_folder
from llmflow.tools.index import scan

DOCUMENTS = {
    "start.md": "# Getting started\n\nInstall the package, start the server, then run the demo.\n",
    "guide/failures.md": """# What fails, and how

## Cancelling

"""
    + "A run that was asked to stop still finishes its compensations, in reverse order. " * 6
    + """

When you cancel a running workflow, the activity hears of it with its next heartbeat and closes the HTTP request.

## Worker crashes

A worker that was killed is noticed by its missing heartbeats. Another worker retries the call, and pays nothing twice.
"""
    + "\n## Budgets\n\n"
    + "A budget limits what a run and all its children may spend. " * 12,
    "guide/prices.rst": "Prices\n======\n\nThe price of a call comes from a dated price list, in US dollars.\n",
    "notes.txt": "Sandboxed imports are slow, because the sandbox executes each module again for every run.\n",
    "page.html": "<title>Encryption</title><script>cancel()</script><h2>Keys</h2><p>Payloads are encrypted with AES.",
}

Search = Callable[..., SearchResult]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in DOCUMENTS.items():
        file = tmp_path / "docs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


@pytest.fixture
def search(root: Path) -> Search:
    def search(query: str, folder: str = "docs", limit: int = 8) -> SearchResult:
        return search_folder(query, folder, limit=limit, root=root, index=root / "index")

    return search


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("How do I cancel a workflow that runs?", "guide/failures.md#1"),
        ("What happens when the worker was killed?", "guide/failures.md#2"),
        ("how can I limit what my runs are spending", "guide/failures.md#2"),
        ("Where do prices come from?", "guide/prices.rst#1"),
        ("why is the sandbox so slow?", "notes.txt#1"),
        ("installation", "start.md#1"),
        ("encrypting payload", "page.html#1"),
    ],
)
def test_a_plain_question_finds_the_right_passage(search: Search, question: str, first: str) -> None:
    assert search(question).passages[0].id == first


def test_a_passage_says_where_it_is(search: Search) -> None:
    found = search("budgets of children", limit=1)
    (passage,) = found.passages
    assert (passage.id, passage.path, passage.line) == ("guide/failures.md#2", "guide/failures.md", 9)
    assert (passage.title, passage.heading) == ("What fails, and how", "What fails, and how > Worker crashes")
    assert passage.text.startswith("## Worker crashes\n\nA worker that was killed is noticed")
    assert (found.searched_files, found.skipped_files) == (5, 0)


def test_html_is_read_as_text(search: Search) -> None:
    (passage,) = search("encrypted").passages
    assert (passage.title, passage.heading, passage.text) == (
        "Encryption",
        "Keys",
        "## Keys\n\nPayloads are encrypted with AES.",
    )
    assert "page.html#1" not in [passage.id for passage in search("cancel").passages]


def test_the_best_comes_first(search: Search) -> None:
    scores = [passage.score for passage in search("worker run call price budget").passages]
    assert len(scores) >= 3
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0


def test_no_match_is_an_empty_result(search: Search) -> None:
    assert search("zebra") == SearchResult(searched_files=5)


def test_a_query_of_stop_words_alone_still_searches(search: Search) -> None:
    assert search("what is it?").searched_files == 5


def test_changes_are_seen(search: Search, root: Path) -> None:
    assert not search("zebra").passages
    (root / "docs/zebra.md").write_text("# Zebra\n\nStripes.")
    assert [passage.id for passage in search("zebra").passages] == ["zebra.md#1"]
    (root / "docs/zebra.md").write_text("# Horse\n\nPlains.")
    assert not search("zebra").passages
    assert search("horse").passages
    (root / "docs/zebra.md").unlink()
    assert not search("horse").passages
    assert search("horse").searched_files == 5


def test_what_did_not_change_is_not_read_again(search: Search, root: Path) -> None:
    search("budget")
    (index,) = (root / "index").iterdir()
    before = index.stat().st_mtime_ns
    search("budget")
    assert index.stat().st_mtime_ns == before


def test_an_edit_that_keeps_size_and_time_is_seen(search: Search, root: Path) -> None:
    file = root / "docs/notes.txt"
    assert search("sandboxed").passages
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_text(file.read_text().replace("Sandboxed", "Sandwiche"))
    os.utime(file, ns=times)
    assert search("sandwiche").passages


def test_files_that_cannot_be_searched_are_named(search: Search, root: Path) -> None:
    docs = root / "docs"
    (docs / "latin.txt").write_bytes("Käse".encode("latin-1"))
    (docs / "report.pdf").write_bytes(b"%PDF")
    (docs / "link.md").symlink_to("/etc/passwd")
    (docs / "huge.md").write_bytes(b"x" * 5_000_001)
    (docs / ".hidden.md").write_text("zebra")
    (docs / ".git").mkdir()
    (docs / ".git/zebra.md").write_text("zebra")
    found = search("zebra root")
    assert found.passages == ()
    assert (found.searched_files, found.skipped_files) == (5, 4)
    assert found.skipped == (
        SkippedFile(path="huge.md", reason="5000001 bytes, more than 5000000"),
        SkippedFile(path="latin.txt", reason="not UTF-8"),
        SkippedFile(path="link.md", reason="a link or a device, which is not followed"),
        SkippedFile(path="report.pdf", reason="not one of .htm, .html, .markdown, .md, .rst, .txt"),
    )


def test_many_skipped_files_are_counted(search: Search, root: Path) -> None:
    for number in range(30):
        (root / f"docs/{number}.png").touch()
    found = search("budget")
    assert (len(found.skipped), found.skipped_files) == (20, 30)


def test_names_that_are_no_text(search: Search, root: Path) -> None:
    os.close(os.open(os.fsencode(root) + b"/docs/\xff.md", os.O_CREAT))
    assert search("budget").skipped[0].path == "\\xff.md"


@pytest.mark.parametrize("folder", ["/etc", "..", "docs/../..", "/", "docs/out"])
def test_nothing_outside_the_root_is_searched(search: Search, root: Path, folder: str) -> None:
    (root / "docs/out").symlink_to("/etc")
    with pytest.raises(ToolRefused, match=f"is outside {root}") as caught:
        search("root", folder)
    assert caught.value.detail.field == "folder"


def test_a_folder_may_be_absolute(search: Search, root: Path) -> None:
    assert search("budget", str(root / "docs")).passages


@pytest.mark.parametrize(
    ("folder", "says"),
    [
        ("dosc", "there is no folder `dosc` in .*did you mean `docs`"),
        ("docs/gide", "did you mean `guide`"),
        ("a/b/c", "there is no folder `a/b/c` in [^;]*$"),
        ("docs/start.md", "there is no folder"),
        ("x\0y", "is not the name of a folder"),
        ("x" * 5000, "there is no folder"),
    ],
)
def test_a_missing_folder(search: Search, folder: str, says: str) -> None:
    with pytest.raises(ToolRefused, match=says) as caught:
        search("budget", folder)
    assert len(str(caught.value)) < 500


def test_a_folder_without_documents(search: Search, root: Path) -> None:
    (root / "empty").mkdir()
    with pytest.raises(ToolRefused, match=r"`empty` holds no documents \(\.htm, .*\)$"):
        search("budget", "empty")
    (root / "empty/a.png").touch()
    (root / "empty/b.png").touch()
    with pytest.raises(ToolRefused, match=r"skipped: a\.png \(not one of .*\) and 1 more"):
        search("budget", "empty")


def test_too_many_files(root: Path) -> None:
    with pytest.raises(ToolRefused, match="docs has more than 4 files; give a subfolder"):
        scan(root / "docs", most=4)


@pytest.mark.parametrize(
    ("query", "limit", "field"), [("", 8, "query"), ("?! ...", 8, "query"), ("a", 0, "limit"), ("a", 51, "limit")]
)
def test_arguments_out_of_range(search: Search, query: str, limit: int, field: str) -> None:
    with pytest.raises(ToolArgumentsInvalid, match=f"`{field}`") as caught:
        search(query, limit=limit)
    assert caught.value.detail.field == field


@given(query=st.text() | st.text("\"*^()+-:{}ANDORNEAT abc\0'") | st.text(min_size=500))
def test_no_query_is_syntax(search: Search, query: str) -> None:
    try:
        assert len(search(query).passages) <= 8
    except ToolArgumentsInvalid:
        assert not any(character.isalnum() for character in query)


def test_a_damaged_index_says_what_to_do(search: Search, root: Path) -> None:
    search("budget")
    (index,) = (root / "index").iterdir()
    index.write_bytes(b"no database" * 1000)
    with pytest.raises(ConfigInvalid, match=r"is damaged .*; delete it") as caught:
        search("budget")
    assert str(index) in str(caught.value)
    index.unlink()
    assert search("budget").passages


BUILDER = """
import sys
from pathlib import Path
from llmflow.tools import search_folder
root = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(5):
    found = search_folder("number 7", "many", root=root, index=root / "index", limit=50)
    print(len(found.passages), found.searched_files, flush=True)
"""


def test_processes_share_an_index(root: Path) -> None:
    (root / "many").mkdir()
    for number in range(200):
        (root / f"many/{number}.md").write_text(f"# Number {number}\n\n{'text ' * 200}")
    command = [sys.executable, "-c", BUILDER, str(root)]
    builders = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for builder in builders:
        assert builder.stdout
        assert builder.stdout.readline() == "ready\n"
    for builder in builders:
        assert builder.stdin
        builder.stdin.write("\n")
        builder.stdin.flush()
    for builder in builders:
        output, errors = builder.communicate(timeout=50)
        assert (builder.returncode, errors, output) == (0, "", "50 200\n" * 5)
    (found,) = search_folder('"7" 7', "many", root=root, index=root / "index", limit=1).passages
    assert found.id == "7.md#1"


async def test_the_tool_searches_where_the_worker_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    found = await run_tool(search_documents, {"query": "budget", "folder": "docs", "limit": "1"})
    assert found.passages[0].path == "guide/failures.md"
    assert (root / ".llmflow/index").is_dir()
    with pytest.raises(ToolRefused, match="is outside"):
        await run_tool(search_documents, {"query": "budget", "folder": "/"})


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "query"),
        ({"query": 3}, "query"),
        ({"query": "a", "limit": 51}, "limit"),
        ({"query": "a", "limit": 0}, "limit"),
        ({"query": "a", "root": "/"}, "root"),
    ],
)
async def test_the_tool_checks_its_arguments(arguments: dict[str, object], field: str) -> None:
    with pytest.raises(ToolArgumentsInvalid) as caught:
        await run_tool(search_documents, arguments)  # type: ignore[arg-type]  # that is the point
    assert caught.value.detail.field == field
