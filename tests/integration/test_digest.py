"""The digest: many documents, one page, and the names of those that could not be read."""

import re
from pathlib import Path

import pytest

from llmflow.errors import ContentRefused, RunNotCompleted
from llmflow.testing import ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.models import ModelRequest
from workflows.digest.app import app
from workflows.digest.schemas import Digest, Folder, Points, Section
from workflows.digest.workflow import FolderDigest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one, that the worker may read."""
    (tmp_path / "papers").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "papers"


def answer(request: ModelRequest) -> Points | Digest | ContentRefused:
    """Keeps what a document says, and cites what it was given."""
    assert request.output is not None
    text = request.messages[-1].text
    if request.output.name == "Points":
        if "forbidden" in text:
            return ContentRefused("no")
        return Points(points=[text.strip().splitlines()[-1]])
    sources = re.findall(r"^(?:Document|-) \[(.+?)\]", text, re.M)
    return Digest(summary=f"of {len(sources)}", sections=[Section(heading="All", text="It is so.", sources=sources)])


async def test_what_cannot_be_read_is_part_of_the_report(temporal: str, folder: Path) -> None:
    for name in ("a", "c", "e"):
        (folder / f"{name}.md").write_text(f"# {name.upper()}\n\nIt was decided to {name}.\n")
    (folder / "b.md").write_bytes(b"\xff\xfe no text")
    (folder / "d.md").write_text("# D\n\nforbidden\n")
    async with environment(app, ScriptedProvider(answer), address=temporal) as env:
        run = await env.client.start(FolderDigest.run, Folder(documents="papers"), id=env.id())

        report = await run.result()
        assert report.digest
        assert report.digest.sections[0].sources == ["a.md", "c.md", "e.md"]
        assert report.documents == 5
        assert [one.path for one in report.unread] == ["b.md", "d.md"]
        assert "not UTF-8 text: byte 0" in report.unread[0].reason
        assert report.unread[1].reason == "no"
        scheduled = await activities_of(run)
        assert scheduled[0] == "list/list_documents#1"
        assert {"read[0]/read_document#1", "read[4]/complete#1"} <= set(scheduled)
        assert "read[1]/complete#1" not in scheduled, "nothing is paid for what cannot be read"
        assert scheduled[-1] == "write[0]/complete#1"
        await assert_replays(run, app)


async def test_the_pages_of_a_large_folder_are_merged(temporal: str, folder: Path) -> None:
    for number in range(30):
        (folder / f"{number:02}.txt").write_text(f"Paper {number}\n\nIt was decided to do {number}.\n")
    model = ScriptedProvider(answer)
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(FolderDigest.run, Folder(documents="papers"), id=env.id())

        report = await run.result()
        assert report.digest
        assert (report.digest.summary, report.unread) == ("of 2", []), "one page of two"
        scheduled = await activities_of(run)
        assert [one for one in scheduled if one.startswith(("write", "merge"))] == [
            *("write[0]/complete#1", "write[1]/complete#1", "merge[0]/complete#1"),
        ]
        await assert_replays(run, app)


async def test_a_folder_that_says_nothing_has_no_page(temporal: str, folder: Path) -> None:
    (folder / "empty.md").write_text("\n")
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        run = await env.client.start(FolderDigest.run, Folder(documents="papers"), id=env.id())

        report = await run.result()
        assert (report.digest, [one.reason for one in report.unread]) == (None, ["it is empty"])


@pytest.mark.parametrize(("documents", "says"), [("papers", "holds 0 documents"), ("..", "there is no `..` in")])
async def test_a_folder_without_documents_is_refused(temporal: str, folder: Path, documents: str, says: str) -> None:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        run = await env.client.start(FolderDigest.run, Folder(documents=documents), id=env.id())
        with pytest.raises(RunNotCompleted, match=says):
            await run.result()
