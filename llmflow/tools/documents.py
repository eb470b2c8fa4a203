"""Searches a folder of documents: passages ranked by BM25, each with an id to cite."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field

from llmflow.errors import ErrorDetail, ToolArgumentsInvalid, ToolRefused, did_you_mean
from llmflow.tools.decorator import tool
from llmflow.tools.index import SUFFIXES, Index, Skipped, words
from llmflow.types.base import CompactWire

MAX_PASSAGES = 50
SHOWN_SKIPPED = 20


class Passage(CompactWire):
    """A verbatim piece of a document, 100 to 250 words."""

    id: str
    """Path and ordinal, such as `guide/start.md#3`; stable until the document changes."""
    path: str
    """Path relative to the searched folder."""
    line: int
    """First line, from 1; for HTML, in the extracted text."""
    title: str
    """Title of the document."""
    heading: str
    """Headings above its beginning, such as `Prompts > Labels`."""
    text: str
    score: float
    """BM25 score: higher is better, comparable only within one result."""


class SkippedFile(CompactWire):
    """A file in the folder that was not searched."""

    path: str
    reason: str


class SearchResult(CompactWire):
    """The result of a search; without passages if no word of the query occurs."""

    passages: tuple[Passage, ...] = ()
    """Passages, best first."""
    searched_files: int
    skipped_files: int = 0
    skipped: tuple[SkippedFile, ...] = ()
    """Up to 20 of the skipped files."""


def search_folder(
    query: str,
    folder: str,
    *,
    limit: int = 8,
    root: Path = Path(),
    index: Path = Path(".llmflow/index"),
) -> SearchResult:
    """Search the Markdown, reStructuredText, text and HTML files of a folder and its subfolders.

    `search_documents` is this function as a tool; to search elsewhere, make your own tool.

        @tool
        def search_handbook(query: str) -> SearchResult:
            '''Search the handbook.'''
            return search_folder(query, "handbook", root=Path("/srv/documents"))

    Files and folders whose names begin with a dot are skipped. The first search builds the index; later searches read
    only changed files.

    Args:
        query: A question or words, without syntax. The first 60 words other than stop words count.
        folder: Folder inside `root`; absolute or relative to it.
        limit: Upper limit of passages, 1 to 50.
        root: Folder that the search never leaves; the worker's working directory by default.
        index: Folder of the indexes, created if missing. It needs no backup.

    Raises:
        ToolArgumentsInvalid: the query has no words, or the limit is out of range.
        ToolRefused: the root has no such folder, or the folder has no document, or too many files.
        ConfigInvalid: the index is damaged; the message names the file to delete.
    """
    if not words(query):
        raise ToolArgumentsInvalid(f"`query` has no words: {query[:80]!r}", ErrorDetail(field="query"))
    if not 1 <= limit <= MAX_PASSAGES:
        raise ToolArgumentsInvalid(f"`limit` must be 1 to {MAX_PASSAGES}, not {limit}", ErrorDetail(field="limit"))
    with Index.opened(_inside(root, folder), index) as opened:
        searched, skipped = opened.searched_files(), opened.skipped_files()
        if not searched:
            raise _empty(folder, skipped)
        hits = opened.search(query, limit)
    return SearchResult(
        passages=tuple(
            Passage(
                id=f"{hit.path}#{hit.ordinal}",
                **{name: value for name, value in hit._asdict().items() if name != "ordinal"},
            )
            for hit in hits
        ),
        searched_files=searched,
        skipped_files=len(skipped),
        skipped=tuple(SkippedFile(path=file.path, reason=file.problem) for file in skipped[:SHOWN_SKIPPED]),
    )


@tool
def search_documents(
    query: Annotated[str, Field(description="A question, or the words to look for.")],
    folder: Annotated[str, Field(description="Folder of documents, relative to the worker's own.")] = ".",
    limit: Annotated[int, Field(description="Passages at most.", ge=1, le=MAX_PASSAGES)] = 8,
) -> SearchResult:
    """Search a folder of documents and return the passages that fit best, each with an id to cite."""
    return search_folder(query, folder, limit=limit)


def _inside(root: Path, folder: str) -> Path:
    top = root.resolve()
    try:
        found = (top / folder).resolve()
    except (OSError, ValueError) as error:
        raise ToolRefused(
            f"`{folder[:200]}` is not the name of a folder: {error}", ErrorDetail(field="folder")
        ) from None
    if not found.is_relative_to(top):
        raise ToolRefused(
            f"`{folder[:200]}` is outside {top}, the only folder that may be searched", ErrorDetail(field="folder")
        )
    if not os.path.isdir(found):
        raise ToolRefused(f"there is no folder `{folder[:200]}` in {top}{_near(found)}", ErrorDetail(field="folder"))
    return found


def _near(missing: Path) -> str:
    """Suggest existing folders."""
    if not os.path.isdir(missing.parent):
        return ""
    others = sorted(entry.name for entry in os.scandir(missing.parent) if entry.is_dir() and entry.name[0] != ".")
    return did_you_mean(missing.name, others) or (f"; there is: {', '.join(others[:10])}" if others else "")


def _empty(folder: str, skipped: list[Skipped]) -> ToolRefused:
    why = f"; skipped: {skipped[0].path} ({skipped[0].problem})" if skipped else ""
    more = f" and {len(skipped) - 1} more" if len(skipped) > 1 else ""
    known = ", ".join(sorted(SUFFIXES))
    return ToolRefused(f"`{folder}` holds no documents ({known}){why}{more}", ErrorDetail(field="folder"))
